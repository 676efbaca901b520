"""Makes transactions.csv: 12,000 card transactions that nobody made, about one in twenty of them fraud.

    python generate.py [rows] [seed]
"""
import sys

import numpy as np
import pandas as pd

MERCHANTS = ["groceries", "fuel", "restaurant", "electronics", "travel", "clothing", "jewellery", "gaming", "pharmacy", "gift cards"]
MERCHANT_SHARE = [0.26, 0.12, 0.17, 0.09, 0.06, 0.12, 0.02, 0.05, 0.08, 0.03]
MERCHANT_AMOUNT = [38, 55, 32, 240, 420, 70, 600, 25, 22, 90]
MERCHANT_RISK = [-1.2, -1.0, -0.8, 0.9, 0.4, -0.2, 1.4, 1.0, -1.0, 1.9]
COUNTRIES = ["DE", "FR", "GB", "NL", "ES", "IT", "PL", "US", "BR", "NG", "Côte d'Ivoire"]
COUNTRY_SHARE = [0.42, 0.11, 0.1, 0.08, 0.07, 0.06, 0.05, 0.06, 0.02, 0.015, 0.015]
DEVICES = ["android", "ios", "web", "terminal"]


def generate(rows, seed):
    rng = np.random.default_rng(seed)
    merchant = rng.choice(len(MERCHANTS), rows, p=MERCHANT_SHARE)
    country = rng.choice(len(COUNTRIES), rows, p=COUNTRY_SHARE)
    device = rng.choice(DEVICES, rows, p=[0.34, 0.3, 0.16, 0.2]).astype(object)
    amount = np.round(rng.lognormal(np.log(np.array(MERCHANT_AMOUNT)[merchant]), 0.7), 2)
    hour = np.clip(rng.normal(14, 5, rows).round(), 0, 23).astype(int)
    night = rng.uniform(size=rows) < 0.08
    hour[night] = rng.integers(0, 6, night.sum())
    age = np.clip(rng.normal(44, 16, rows).round(), 18, 95)
    recent = rng.poisson(2.2, rows) + (rng.uniform(size=rows) < 0.05) * rng.integers(4, 20, rows)
    minutes = np.round(rng.exponential(400, rows), 1)
    distance = np.round(rng.exponential(12, rows) + (country > 0) * rng.exponential(700, rows), 1)

    risk = (
        np.array(MERCHANT_RISK)[merchant]
        + 0.9 * np.log1p(amount / 150)
        + 1.5 * (hour < 6)
        + 0.16 * recent
        + 1.1 * (country >= 7)
        + 0.9 * (device == "web")
        + 0.8 * (minutes < 10)
        + 0.0006 * distance
        - 0.012 * (age - 44)
        - 5.2
    )
    label = (rng.uniform(size=rows) < 1 / (1 + np.exp(-risk))).astype(int)
    device[rng.uniform(size=rows) < 0.07] = None
    age[rng.uniform(size=rows) < 0.1] = np.nan
    minutes[rng.uniform(size=rows) < 0.03] = np.nan
    return pd.DataFrame(
        {
            "amount": amount,
            "merchant_category": np.array(MERCHANTS)[merchant],
            "country": np.array(COUNTRIES)[country],
            "hour": hour,
            "device": device,
            "customer_age": age,
            "transactions_24h": recent,
            "minutes_since_last": minutes,
            "distance_km": distance,
            "is_foreign": country > 0,
            "is_fraud": label,
        }
    )


if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 12000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    generate(rows, seed).to_csv("transactions.csv", index=False)

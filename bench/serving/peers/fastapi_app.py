"""The service most teams write by hand: FastAPI, pydantic list in, predict, list out."""
import os

import joblib
from fastapi import FastAPI
from pydantic import BaseModel

model = joblib.load(os.path.join(os.environ["MODEL_DIR"], "model.joblib"))
app = FastAPI()


class Request(BaseModel):
    instances: list[list[float]]


class Response(BaseModel):
    predictions: list


@app.post("/predict")
def predict(request: Request) -> Response:
    return Response(predictions=model.predict(request.instances).tolist())

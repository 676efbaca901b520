"""Writes a V2 request with a row of a model, made from its metadata: first_rows.py BASE MODEL FILE [ROWS]"""
import json
import sys
import urllib.request

base, model, file = sys.argv[1:4]
rows = int(sys.argv[4]) if len(sys.argv) > 4 else 1
metadata = json.load(urllib.request.urlopen(f"{base}/v2/models/{model}"))
inputs = []
for column in metadata["inputs"]:
    width = column["shape"][1] if len(column["shape"]) > 1 else 1
    value = {"BYTES": "DE", "BOOL": True}.get(column["datatype"], 1)
    shape = [rows] + [width] * (len(column["shape"]) - 1)
    inputs.append({"name": column["name"], "datatype": column["datatype"], "shape": shape, "data": [value] * (rows * width)})
with open(file, "w") as out:
    json.dump({"inputs": inputs}, out)

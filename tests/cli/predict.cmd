# Predictions in every form of input and output.

$ wherry predict examples/fraud/model.joblib --input examples/fraud/requests/one.json
{"outputs":{"predict":[1],"predict_proba":[[0.09219076610359578,0.9078092338964042]],"decision_function":[2.2871742868736233]}}

$ wherry predict examples/fraud/model.joblib < examples/fraud/requests/one.json
{"outputs":{"predict":[1],"predict_proba":[[0.09219076610359578,0.9078092338964042]],"decision_function":[2.2871742868736233]}}

$ wherry predict examples/fraud/model.joblib -i examples/fraud/requests/rows.csv -m predict_proba
{"outputs":{"predict_proba":[[0.09219076610359578,0.9078092338964042],[0.995625716716454,0.004374283283546064],[0.055571210162546514,0.9444287898374535],[0.9124252213009474,0.0875747786990526],[0.9945976772471193,0.005402322752880669]]}}

$ wherry predict examples/fraud/model.joblib -i examples/fraud/requests/records.json -o csv
predict,predict_proba_0,predict_proba_1,decision_function
0,0.995625716716454,0.004374283283546064,-5.42762871504421
1,0.055571210162546514,0.9444287898374535,2.83291502522013
0,0.9124252213009474,0.0875747786990526,-2.3436130907467243

$ wherry predict examples/fraud/model.joblib -i examples/fraud/requests/split.json -o table
predict  predict_proba_0  predict_proba_1  decision_function
      0          0.99214       0.00785979            -4.8381
      1         0.217555         0.782445            1.27997
      0           0.9936       0.00640012           -5.04502

$ wherry predict examples/fraud/model.joblib -i examples/fraud/requests/v2.json -m predict
{"outputs":{"predict":[1,0]}}

$ wherry predict examples/fraud/model.joblib -i examples/fraud/requests/one.json -m predct
error: the model has no method 'predct' [cli.usage]
hint: it has predict, predict_proba, decision_function
[exit 2]

$ echo '{"columns": ["amount"], "rows": [[1]]}' | wherry predict examples/fraud/model.joblib
error: column 'merchant_category' is missing (in standard input) [protocol.missing_column]
hint: give every column the model was fitted with; a missing value is null
[exit 1]

$ echo '[{"amount": "much"}]' | wherry predict examples/fraud/model.joblib
error: row 0, column 'amount': the text 'much' stands where the model takes a number (in standard input) [protocol.wrong_type]
hint: write it as a number without quotes, or null for a missing value
[exit 1]

$ echo '{"columns": null, "rows": [[1, NaN]' | wherry predict examples/fraud/model.joblib
error: row 0 has 2 values, but there are 10 columns (in standard input) [protocol.row_width]
hint: every row needs one value per column; a missing value is null
[exit 1]

$ wherry predict examples/fraud/model.joblib -i nothing.json
error: nothing.json: no such file [base.file_not_found]
hint: check the path
[exit 2]

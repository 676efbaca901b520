# Golden predictions: the framework's, wherry's own, and a wrong one.

$ wherry verify examples/fraud/model.joblib
32 golden predictions recorded by scikit-learn 1.9.1 agree, all values identical
  predict: 32 of 32 values identical, largest relative deviation 0
  predict_proba: 64 of 64 values identical, largest relative deviation 0

$ wherry verify tests/fixtures/sklearn/1.4.2/logistic_multinomial/model.joblib
20 golden predictions recorded by wherry itself agree, all values identical
  predict: 20 of 20 values identical, largest relative deviation 0
  predict_proba: 60 of 60 values identical, largest relative deviation 0
  decision_function: 60 of 60 values identical, largest relative deviation 0
recorded by wherry itself: this guards against change, it proves nothing about the framework

$ sed 's/"predict": 0/"predict": 1/' examples/fraud/model.golden.jsonl > wrong.jsonl; wherry verify examples/fraud/model.joblib --golden wrong.jsonl --output json | jq .failed
error: examples/fraud/model.joblib: 30 of 32 golden examples differ [cli.verify_failed]
hint: do not deploy this model; record golden predictions again if it was trained anew
30

$ wherry verify examples/fraud/model.joblib --golden wrong.jsonl 2>/dev/null | head -n 3
30 of 32 golden predictions recorded by scikit-learn 1.9.1 differ
  predict: 2 of 32 values identical, largest relative deviation 0
  predict_proba: 64 of 64 values identical, largest relative deviation 0

$ wherry convert examples/fraud/model.joblib --golden wrong.jsonl -o bundle; ls bundle
error: model.joblib: 30 of 32 golden predictions recorded by scikit-learn 1.9.1 differ; first in line 2: predict is 0, not 1 [app.golden_mismatch]
hint: was the model trained again without recording new golden predictions? if not, report this as a bug
ls: cannot access 'bundle': No such file or directory
[exit 2]

$ wherry convert examples/fraud/model.joblib -o bundle && ls bundle && wherry verify bundle | head -n 1
32 golden predictions recorded by scikit-learn 1.9.1 agree, all values identical
bundle
bundle.json
golden.jsonl
program.json
weights.safetensors
32 golden predictions recorded by scikit-learn 1.9.1 agree, all values identical

$ echo x >> bundle/program.json; wherry verify bundle
error: program.json is not the file bundle.json was written for [program.bad_bundle]
hint: make the bundle again: wherry convert MODEL -o FOLDER
[exit 1]

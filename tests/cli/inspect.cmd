# What is in a model file.

$ wherry inspect examples/fraud/model.joblib
examples/fraud/model.joblib: scikit-learn 1.9.1, joblib, 163 kB
sha256:054ea6384a2cda53c8ec7bd6b6108b5803ac8b2bad04b3725a9b68770d21af23
served: yes, as 'fraud'

model:
  Pipeline
    steps[0] 'columntransformer': ColumnTransformer (10 columns)
      transformers_[0] 'numbers': Pipeline
        steps[0] 'simpleimputer': SimpleImputer (6 columns)
        steps[1] 'standardscaler': StandardScaler (6 columns)
      transformers_[1] 'words': Pipeline
        steps[0] 'simpleimputer': SimpleImputer (3 columns)
        steps[1] 'onehotencoder': OneHotEncoder (3 columns, 26 categories)
      transformers_[2] 'flags': FunctionTransformer (1 column)
    steps[1] 'histgradientboostingclassifier': HistGradientBoostingClassifier (33 columns, 80 trees, 2320 nodes, 2 classes)

input: 10 columns, matched by name; others are ignored
  amount              number
  merchant_category   text
  country             text
  hour                number
  device              text
  customer_age        number
  transactions_24h    number
  minutes_since_last  number
  distance_km         number
  is_foreign          number

output:
  predict             int64 [-1]
  predict_proba       float64 [-1, 2]  0, 1
  decision_function   float64 [-1]

golden predictions: 32, recorded by scikit-learn 1.9.1 at training time
fidelity to scikit-learn: the same to the last digits: exp, log and their like may round differently in numpy

imports: 16 understood, 10 ignored as irrelevant for prediction, 0 refused; nothing was executed
  (--imports lists them)

$ wherry inspect examples/fraud/model.joblib --output json | jq -c '.framework, .framework_version, .served, .golden, .outputs[].name, .signature.columns[0]'
"scikit-learn"
"1.9.1"
true
{"source":"framework","examples":32}
"predict"
"predict_proba"
"decision_function"
{"name":"amount","type":"number","required":true}

$ wherry inspect examples/fraud/model.joblib --imports | tail -n 28

imports: 16 understood, 10 ignored as irrelevant for prediction, 0 refused; nothing was executed
  understood  sklearn.pipeline.Pipeline
  understood  sklearn.compose._column_transformer.ColumnTransformer
  understood  sklearn.impute._base.SimpleImputer
  understood  sklearn.preprocessing._data.StandardScaler
  understood  sklearn.preprocessing._encoders.OneHotEncoder
  ignored     numpy.float64
  understood  joblib.numpy_pickle.NumpyArrayWrapper
  understood  numpy.ndarray
  understood  numpy.dtype
  understood  numpy._core.multiarray._reconstruct
  understood  numpy._core.multiarray.scalar
  understood  sklearn.preprocessing._function_transformer.FunctionTransformer
  understood  builtins.slice
  understood  sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier
  understood  sklearn.preprocessing._label.LabelEncoder
  ignored     numpy.random._pickle.__generator_ctor
  ignored     numpy.random._pickle.__bit_generator_ctor
  ignored     numpy.random._pcg64.PCG64
  ignored     numpy.random.bit_generator.__pyx_unpickle_SeedSequence
  ignored     numpy.random.bit_generator.SeedSequence
  ignored     sklearn._loss.loss.HalfBinomialLoss
  ignored     sklearn._loss._loss.CyHalfBinomialLoss
  ignored     sklearn._loss.link.LogitLink
  ignored     sklearn._loss.link.Interval
  understood  sklearn.ensemble._hist_gradient_boosting.binning._BinMapper
  understood  sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor

$ wherry inspect tests/fixtures/sklearn/1.4.2/logistic_multinomial/model.joblib
tests/fixtures/sklearn/1.4.2/logistic_multinomial/model.joblib: scikit-learn 1.4.2, joblib, 991 B
sha256:c74e26696a85821a3a4f23246f8b763a0529b73832595a67d08176b00596c8ae
served: yes, as 'logistic-multinomial'

model:
  LogisticRegression (4 columns, 3 classes)

input: 4 columns, by position
  x0  number
  x1  number
  x2  number
  x3  number

output:
  predict             int64 [-1]
  predict_proba       float64 [-1, 3]  0, 1, 2
  decision_function   float64 [-1, 3]  0, 1, 2

golden predictions: 20, recorded by wherry itself: they guard against change, they prove nothing
fidelity to scikit-learn: the same to the last digits: a BLAS adds products in another order

imports: 4 understood, 0 ignored as irrelevant for prediction, 0 refused; nothing was executed
  (--imports lists them)
note: dot products are summed in column order; the BLAS under numpy may differ in the last bits

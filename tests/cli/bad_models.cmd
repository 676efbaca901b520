# Files that must be refused with one clear error and one hint, and nothing written or executed.

$ head -c 5000 examples/fraud/model.joblib > cut.joblib; wherry inspect cut.joblib
error: cut.joblib: FRAME at offset 4840: a frame of 869 bytes, 151 are left [pickle.bad_frame]
hint: copy the file again, completely
[exit 1]

$ wherry convert cut.joblib -o out; ls -d out
error: cut.joblib: FRAME at offset 4840: a frame of 869 bytes, 151 are left [pickle.bad_frame]
hint: copy the file again, completely
ls: cannot access 'out': No such file or directory
[exit 2]

$ : > empty.joblib; wherry inspect empty.joblib
error: empty.joblib: the file is empty [formats.unknown]
hint: give the file as the framework wrote it, e.g. by joblib.dump(model, 'model.joblib')
[exit 1]

$ echo 'hello' > text.joblib; wherry inspect text.joblib
error: text.joblib: no known model format [formats.unknown]
hint: give the file as the framework wrote it, e.g. by joblib.dump(model, 'model.joblib')
[exit 1]

$ printf "cposix\nsystem\n(S'touch executed'\ntR." > evil.pkl; wherry inspect evil.pkl; ls executed
evil.pkl: unknown framework, pickle, 36 B
sha256:fed5c8c4d754379c009ae046a2a4903b5d5440f654696bd94ff43488691c3fd0
served: no

model:
  posix.system (not supported)

imports: 0 understood, 0 ignored as irrelevant for prediction, 1 refused; nothing was executed
  refused     posix.system
error: evil.pkl: the file names 'posix.system', which has no place in a model [sklearn.refused_global]
hint: do not load this file in Python; wherry executed nothing of it. If a step of your own is meant, replace it with scikit-learn's estimators
ls: cannot access 'executed': No such file or directory
[exit 2]

$ printf "cposix\nsystem\n(S'touch executed'\ntR0N." > popped.pkl; wherry predict popped.pkl; ls executed
error: popped.pkl: the file names 'posix.system', which has no place in a model [sklearn.refused_global]
hint: do not load this file in Python; wherry executed nothing of it. If a step of your own is meant, replace it with scikit-learn's estimators
ls: cannot access 'executed': No such file or directory
[exit 2]

$ wherry inspect missing.joblib
error: missing.joblib: no such file [base.file_not_found]
hint: check the path
[exit 2]

$ wherry inspect examples
error: examples: the folder holds no model of a known format [formats.unknown]
hint: name the folder which the framework wrote, or a file in it
[exit 1]

$ printf '\x89HDF\r\n\x1a\n' > model.h5; wherry inspect model.h5
error: model.h5: HDF5: a structure ends 1 bytes early [hdf5.bad_file]
hint: save the model again
[exit 1]

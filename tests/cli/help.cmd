# What a newcomer types first, and misspells.

$ wherry version
wherry 0.1.0

$ wherry
wherry takes a trained model as its framework saved it and makes it a microservice.

usage: wherry COMMAND [options]

look at a model:
  inspect       what is in a model file and whether it can be served
  predict       predictions for rows from a file or standard input
  verify        does a model give the answers its golden examples state
  convert       write a model as a bundle folder

run it here:
  up            from a model file to a running service with one command
  serve         serve a model on this machine

make an image:
  build         make the image of a model's service, and push it
  push          push an image which exists already
  dockerfile    a Dockerfile for the same image

run it on Kubernetes:
  render        the Kubernetes objects of a service, as YAML
  deploy        apply a service to a Kubernetes cluster and wait until it serves
  status        how a deployed service is doing

automate:
  ci            write the pipeline for a CI/CD system

more:
  explain       what an error id means
  version       the version of wherry

'wherry COMMAND --help' describes a command, 'wherry explain ID' an error.
exit status: 0 ok, 1 the request failed, 2 usage, 3 environment, 70 a bug, 130 interrupted

$ wherry inspct model.joblib
error: no command 'inspct' [cli.unknown_command]
hint: did you mean 'wherry inspect'?
[exit 2]

$ wherry predict --inptu x
error: predict: unknown option --inptu [cli.usage]
hint: did you mean --input?
[exit 2]

$ wherry explain program.invalid
program.invalid
  A model is inconsistent in itself: sizes which do not fit, children outside a tree, labels missing. The file was corrupted or made by hand.

$ wherry explain program.invalidd
error: no error id 'program.invalidd' [cli.unknown_error_id]
hint: did you mean program.invalid?
[exit 2]

$ wherry inspect
error: inspect: model is required [cli.usage]
hint: 'wherry inspect --help' lists the options
[exit 2]

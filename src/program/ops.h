// The operations of a Program. Each is a plain struct: its numeric contract in the comment, its parameters as
// fields. Importers fill them in, infer.cc checks them, module engine executes them.
//
// Values between operations:  matrix = float64 [n, w] · table = cells [n, w] (number, text or missing) ·
// index = int64 [n] · labels = any dtype [n] or [n, k] · sparse = float64 [n, w] of which most are 0: of each
// row the other elements, in an order of their own, each column at most once · tuple = what an onnx_graph
// gives.  Where an operation says "columns", a matrix or a table will do. Sparse values are taken where an
// operation says so. Everything is IEEE double in the order stated; nothing is fused or reassociated. Large
// arrays are weights, named by WeightId. `fields` lists a struct's members once, for reading, writing and
// documentation alike.
//
// To add an operation: a struct in the header of its kind and in the OpList at its end, a rule in rules.h, a
// kernel in src/engine.
#pragma once

#include <string_view>

#include "program/ops_boosters.h"
#include "program/ops_catboost.h"
#include "program/ops_columns.h"
#include "program/ops_encode.h"
#include "program/ops_ensemble.h"
#include "program/ops_graph.h"
#include "program/ops_kernels.h"
#include "program/ops_labels.h"
#include "program/ops_neighbors.h"
#include "program/ops_numeric.h"
#include "program/ops_preprocess.h"
#include "program/ops_solvers.h"
#include "program/ops_text.h"
#include "program/ops_trees.h"

namespace wherry::program {

using Op =
    Joined<ColumnsOps, EncodeOps, NumericOps, TreesOps, LabelsOps, KernelsOps, NeighborsOps, PreprocessOps,
           SolversOps, TextOps, EnsembleOps, CatboostOps, BoostersOps, GraphOps>::Variant;

std::string_view name(const Op& op);

}  // namespace wherry::program

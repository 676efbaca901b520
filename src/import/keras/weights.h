// Gives the layers of a model their weights. Private to module keras.
#pragma once

#include "base/error.h"
#include "import/hdf5/hdf5.h"
#include "import/keras/layer.h"

namespace wherry::keras {

// model.weights.h5 of a .keras archive: groups by class and number (keras/src/saving/saving_lib.py).
base::Status load_archive_weights(Layer& model, hdf5::File& file);

// The group model_weights of an HDF5 model: for each layer of the model a list of weights, in which those of
// nested layers follow one another, trainable ones first (keras/src/legacy/saving/legacy_h5_format.py).
base::Status load_legacy_weights(Layer& model, hdf5::File& file);

// The parameters of a layer and all its parts.
std::uint64_t count_parameters(const Layer& layer);

}  // namespace wherry::keras

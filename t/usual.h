// What many tests include of libraries: see Makefile.
#pragma once

#include "common/usual.h"

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

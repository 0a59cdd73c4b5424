// The outcome for a message, or for one of its recipients. Mailer.
#pragma once

namespace healthcheckd::master {

enum class Outcome {
    sent,
    deferred,  // a retry may succeed
    rejected,  // permanently
};

}  // namespace healthcheckd::master

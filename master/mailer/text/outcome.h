// What became of a message, or of one recipient's part in it. Mailer.
#pragma once

namespace healthcheckd::master {

enum class Outcome {
    sent,
    deferred,  // trying again may help
    rejected,  // for good
};

}  // namespace healthcheckd::master

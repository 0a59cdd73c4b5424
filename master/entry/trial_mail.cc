#include "master/entry/trial_mail.h"

#include "common/wire/protocol_task.h"
#include "master/config/reading/yaml.h"
#include "master/mailer/delivery/delivery.h"
#include "master/mailer/mailer_child.h"
#include "master/process/task.h"

#include <cstdio>

namespace healthcheckd::master {

int send_test_mail(const std::string& file) {
    const LoadedConfig loaded = load_config(file);
    for (const Diagnostic& diagnostic : loaded.diagnostics)
        if (!loaded.config || diagnostic.severity == Diagnostic::Severity::error)
            std::fprintf(stderr, "%s\n", diagnostic.format().c_str());
    if (!loaded.config)
        return 1;
    const MailConfig* mail = loaded.config->first_channel<MailConfig>();
    if (mail == nullptr) {
        std::fprintf(stderr, "%s: there is no config.mail\n", file.c_str());
        return 1;
    }
    Loop loop;
    Spawner spawner(loop);
    Done outcome{.ok = false, .message = "the mailer ended without a word"};
    ChildSpec spec(children::kTestMail);
    spec.main = [config = loaded.config](pid_t parent) {
        return run_test_mail(*config, parent);
    };
    spec.secrets = loaded.config->secrets.get();
    spec.group = SecretStore::kMail;
    const auto on_line = [&outcome](std::string_view text) {
        ActionLine line;
        const bool known = decode(text, line);
        if (const auto* said = std::get_if<Output>(&line))
            std::printf("%s\n", said->text.c_str());
        else if (const auto* done = std::get_if<Done>(&line))
            outcome = *done;
        else if (const auto* broken = std::get_if<Broken>(&line))
            outcome.message = "the mailer ended: " + broken->message;
        return known;
    };
    Task task(loop, spawner);
    const auto started = task.start(
        spec, {.limit = kTryLimit * static_cast<int>(mail->hosts.size() + 1), .lines_per_second = 10'000},
        {.on_line = on_line, .on_end = [&loop](const auto&) {
             loop.stop();
         }});
    if (!started) {
        std::fprintf(stderr, "healthcheckd: %s\n", started.error().text().c_str());
        return 1;
    }
    loop.run();
    std::printf("%s: %s\n", outcome.ok ? "sent" : "NOT sent", outcome.message.c_str());
    return outcome.ok ? 0 : 1;
}

}  // namespace healthcheckd::master

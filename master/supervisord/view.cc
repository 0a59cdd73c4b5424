#include "master/supervisord/view.h"

#include "common/config/texts.h"
#include "master/supervisord/transport.h"

#include <utility>

namespace healthcheckd::master {

SupervisordView::SupervisordView(Loop& loop, Spawner& spawner, LayerNotes& layers, ProcessReader& processes,
                                 std::shared_ptr<const Config> config, Callbacks callbacks)
    : on_table_(std::move(callbacks.on_table)), on_failure_(std::move(callbacks.on_failure)),
      parentage_(processes, local_port(config->supervisord_url)),
      table_(
          loop, !is_remote_url(config->supervisord_url),
          [this](pid_t pid, Parentage::OnSeen done) { parentage_.look(pid, std::move(done)); },
          with_update(std::move(callbacks.programs))),
      link_(loop, spawner, layers, config,
            {[this](const SupervisorTable& table) {
                 parentage_.use(table.supervisord);
                 table_.update(table);
             },
             [this](const std::string& why) {
                 on_failed(why);
             }}) {}

ProgramTable::Callbacks SupervisordView::with_update(ProgramTable::Callbacks programs) {
    programs.on_updated = [this] {
        const Answers before = std::exchange(answers_, {true, true, true, {}});
        on_table_(before);
    };
    return programs;
}

void SupervisordView::on_failed(const std::string& why) {
    const Answers before = std::exchange(answers_, {true, answers_.reached, false, why});
    on_failure_(before);
}

}  // namespace healthcheckd::master

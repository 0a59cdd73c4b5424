// A command of healthcheckctl that only a test has: how many cats there are. It goes into master/control/commands.cc.
void on_sample(Control& control, const ControlRequest&, const Reply& reply) {
    const auto all = control.master().cats().all();
    reply(text_of({{"ok", true}, {"lines", {std::to_string(all.size()) + " cats"}}}));
}

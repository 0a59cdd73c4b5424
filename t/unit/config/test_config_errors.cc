// What is complained about, where, and in which words: a table of files and their complaints.
#include "t/fixture/config_text.h"

#include <boost/test/unit_test.hpp>

using namespace healthcheckd;
using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(test_config_errors)

namespace {

struct Case {
    const char* name;
    std::string yaml;
    const char* expected;
};

void check_table(const std::vector<Case>& cases) {
    for (const Case& c : cases) {
        const LoadedConfig loaded = master::parse_config(c.yaml, "t");
        BOOST_TEST(complaints(loaded) == c.expected, c.name << "\n--- expected\n"
                                                            << c.expected << "--- but got\n"
                                                            << complaints(loaded));
        const bool failed = std::string(c.expected).find("error: ") != std::string::npos;
        BOOST_TEST((loaded.config == nullptr) == failed,
                   c.name << ": there is a configuration, or none, wrongly");
    }
}

std::string mail(const std::string& keys) {
    return "config: {mail: {" + keys + "}}\n" + cat_of("");
}

}  // namespace

BOOST_AUTO_TEST_CASE(structure_of_the_file) {
    const std::string empty = "t: error: the file is empty: it needs at least one cat (cat1: ...)\n";
    check_table({
        {"empty file", "", empty.c_str()},
        {"comments only", "# nothing\n", empty.c_str()},
        {"list on top", "- a\n",
         "t:1:1: error: the file must hold a map: a section 'config' and cats (cat1: ...)\n"},
        {"no cat", "config: {}\n",
         "t: error: there is no cat: give at least one check, under a name of its own (cat1: ...)\n"},
        {"second document", cat_of("") + "---\na: b\n",
         "t:2:1: error: a second document begins here; the file must hold only one\n"},
        {"tab", "cat1:\n\tprogram: x\n",
         "t:2:9: error: illegal map value (there is a tab before it: YAML indents by spaces)\n"},
        {"NUL", std::string("cat1:\n  program: a\0b\n", 21),
         "t:2:13: error: a NUL byte has no place in a text file\n"},
        {"latin-1", "cat1:\n  program: caf\xe9\n", "t:2:15: error: this byte is not valid UTF-8\n"},
        {"UTF-16",
         std::string("\xff\xfe"
                     "c\0a\0",
                     6),
         "t:1:1: error: this byte is not valid UTF-8\n"},
        {"byte order mark", "\xef\xbb\xbf" + cat_of("foo: 1"),
         "t:1:39: error: cat1.foo: unknown key 'foo'\n"},
        {"anchor and alias", "cat1: &a {program: x}\ncat2: *a\n",
         "t:1:7: error: anchors (&name) are not supported: a value that begins with '&' needs quotes\n"},
        {"recursive alias", "cat1: &x [*x]\n",
         "t:1:7: error: anchors (&name) are not supported: a value that begins with '&' needs quotes\n"},
        {"merge key", "cat1: {<<: {a: b}}\n",
         "t:1:8: error: merge keys (<<) are not supported: write the keys out\n"},
        {"foreign tag", "cat1: {program: !!python/object x}\n",
         "t:1:17: error: tag 'tag:yaml.org,2002:python/object' is not supported: a value that begins with "
         "'!' needs quotes\n"},
        {"text tag", cat_of("path: !!str /"), ""},
        {"key that is a list", "? [a]\n: b\n", "t:1:3: error: a key must be a text, not a list or a map\n"},
        {"cat that is a text", "cat1: web\n", "t:1:7: error: cat1: must be a map of keys and values\n"},
        {"empty cat beside another", cat_of("") + "cat2:\n",
         "t:2:1: warning: cat2: is empty; this cat is left out\n"},
        {"section that is a list", "config: [a]\n" + cat_of(""),
         "t:1:9: error: config: must be a map of keys and values\n"},
        {"names of files", "../x: {program: a, action: kill}\n..: {program: a, action: kill}\n",
         "t:1:1: error: ../x: '../x' is no name for a cat: use 1 to 64 letters of any language, digits, _ . "
         "- : and blanks within\n"
         "t:2:1: error: ..: '..' is no name for a cat: use 1 to 64 letters of any language, digits, _ . - : "
         "and blanks within\n"},
    });
}

BOOST_AUTO_TEST_CASE(names_of_keys) {
    check_table({
        {"slip", cat_of("periodSecond: 5"),
         "t:1:39: error: cat1.periodSecond: unknown key 'periodSecond'; did you mean 'periodSeconds'?\n"},
        {"case", cat_of("Port: 80"), "t:1:39: error: cat1.Port: unknown key 'Port'; did you mean 'port'?\n"},
        {"nothing near", cat_of("colour: red"), "t:1:39: error: cat1.colour: unknown key 'colour'\n"},
        {"wrong section", cat_of("logDir: /x"),
         "t:1:39: error: cat1.logDir: unknown key 'logDir'; it belongs in the section 'config'\n"},
        {"other wrong section", "config: {periodSeconds: 5}\n" + cat_of(""),
         "t:1:10: error: config.periodSeconds: unknown key 'periodSeconds'; it belongs in a cat\n"},
        {"in mail", mail("hots: h, from: a@b.c, to_list: [a@b.c]"),
         "t:1:10: error: config.mail.host: is missing\n"
         "t:1:17: error: config.mail.hots: unknown key 'hots'; did you mean 'host'?\n"},
        {"duplicate", "cat1:\n  program: a\n  action: kill\n  action: exec\n",
         "t:4:3: error: cat1.action: duplicate key; the first is in line 3\n"},
        {"duplicate by alias", "cat1:\n  program: a\n  action: kill\n  mode: GET\n  method: POST\n",
         "t:5:3: error: cat1.method: duplicate key; the first is 'mode' in line 4\n"},
        {"duplicate cat, still checked", cat_of("") + "cat1: {program: b, action: kill, por: 1}\n",
         "t:2:1: error: cat1: duplicate cat; the first is in line 1\n"
         "t:2:34: error: cat1.por: unknown key 'por'; did you mean 'port'?\n"},
        {"duplicate config", "config: {}\nconfig: {}\n" + cat_of(""),
         "t:2:1: error: config: duplicate section; the first is in line 1\n"},
        {"duplicate in headers", cat_of("headers: {a: 1, a: 2}"),
         "t:1:48: error: cat1.headers: 'a' is given twice, the second time in line 1\n"},
        {"control character in a name", "cat1: {program: a, action: kill, \"a\\r\\nb\": 1}\n",
         "t:1:34: error: cat1.a\\x0D\\x0Ab: unknown key 'a\\x0D\\x0Ab'\n"},
        {"missing program", "cat1: {type: tcp, action: restart}\n",
         "t:1:1: warning: cat1.program: is missing: the cat's name, 'cat1', is taken for the program's\n"},
        {"null values", "cat1:\n  program: a\n  action: exec\n  execCmd:\n  port: ~\n",
         "t:3:11: error: cat1.execCmd: is missing: action is exec\n"
         "t:4:3: warning: cat1.execCmd: has no value and is ignored\n"
         "t:5:3: warning: cat1.port: has no value; the default 80 is used\n"},
    });
}

BOOST_AUTO_TEST_CASE(all_problems_are_told_at_once_in_the_order_of_the_file) {
    BOOST_TEST(
        complaints_about("cat1:\n  program: a\n  type: htp\n  periodSeconds: 0\n"
                         "config:\n  logDri: /x\n  supervisordUrl: ftp://x\n"
                         "cat2:\n  program: b\n  action: kill\n"
                         "cat3:\n  type: tcp\n  port: 0\n  action: restrt\n") ==
        "t:1:1: warning: cat1.action: email is skipped: there is no config.mail\n"
        "t:3:9: error: cat1.type: unknown value 'htp'; known are http, tcp, mem, cpu, restart; did you mean "
        "'http'?\n"
        "t:4:18: error: cat1.periodSeconds: 0 is out of range: 0.1 to 31536000 seconds\n"
        "t:6:3: error: config.logDri: unknown key 'logDri'; did you mean 'logDir'?\n"
        "t:7:19: error: config.supervisordUrl: 'ftp://x' must begin with unix://, http:// or https://\n"
        "t:11:1: warning: cat3.program: is missing: the cat's name, 'cat3', is taken for the program's\n"
        "t:13:9: error: cat3.port: 0 is out of range: 1 to 65535\n"
        "t:14:11: error: cat3.action: unknown value 'restrt'; known are restart, kill, exec, email, "
        "webhook, webhook:NAME, wechat, dingding, feishu, none; did you mean 'restart'?\n");
}

BOOST_AUTO_TEST_CASE(keys_that_do_not_fit_together) {
    const std::string remote = "config: {supervisordUrl: 'http://10.0.0.1:9001/RPC2'}\n";
    check_table({
        {"file without a file", cat_of("type: mem, pidGet: file"),
         "t:1:58: error: cat1.pidFile: is missing: pidGet is file\n"},
        {"file with a file", cat_of("type: mem, pidGet: file, pidFile: /run/x.pid"), ""},
        {"pidFile that is not used", cat_of("type: mem, pidFile: /run/x.pid"), ""},
        {"name of a restart cat", cat_of("type: restart, pidGet: name"),
         "t:1:62: error: cat1.pidGet: must be supervisor for type restart: only supervisord counts "
         "restarts\n"},
        {"key of another type", cat_of("type: mem, timeoutSeconds: 3"),
         "t:1:66: warning: cat1.timeoutSeconds: has no effect on type mem\n"},
        {"pidGet of http", cat_of("pidGet: file"),
         "t:1:47: warning: cat1.pidGet: has no effect on type http\n"},
        {"exec without a command", "cat1: {program: a, action: exec}\n",
         "t:1:28: error: cat1.execCmd: is missing: action is exec\n"},
        {"exec hidden by restart", "cat1: {program: a, action: 'restart, exec, kill'}\n",
         "t:1:28: warning: cat1.action: only restart runs: of restart, exec and kill the first in this order "
         "does\n"},
        {"kill hidden by exec", "cat1: {program: a, action: [kill, exec], execCmd: x}\n",
         "t:1:28: warning: cat1.action: only exec runs: of restart, exec and kill the first in this order "
         "does\n"},
        {"system of http", "cat1: {program: system, action: email}\n",
         "t:1:17: error: cat1.program: 'system' is the whole machine and fits only the types mem and cpu\n"
         "t:1:33: warning: cat1.action: email is skipped: there is no config.mail\n"},
        {"system restarted", "cat1: {program: system, type: mem, action: restart}\n",
         "t:1:44: error: cat1.action: restart is impossible: program 'system' is the whole machine, no "
         "program\n"},
        {"system by name", "cat1: {program: system, type: mem, action: exec, execCmd: x, pidGet: name}\n",
         "t:1:70: error: cat1.pidGet: must be supervisor for program 'system', which is no process\n"},
        {"email without mail", "cat1: {program: a, action: email}\ncat2: {program: a}\ncat3: {program: a}\n",
         "t:1:28: warning: cat1.action: email is skipped, here and in 2 more: there is no config.mail\n"},
        {"resolved without email", cat_of("sendResolved: yes"),
         "t:1:53: warning: cat1.sendResolved: has no effect: action has neither email nor webhook\n"},
        {"body of GET", cat_of("json: '{}'"),
         "t:1:45: warning: cat1.json: has no effect: mode is GET, and a body is sent only with POST\n"},
        {"memory of a remote program", remote + cat_of("type: mem"),
         "t:2:45: error: cat1.type: mem is impossible: supervisord runs on another machine "
         "(config.supervisordUrl), whose pids mean nothing here\n"},
        {"processor time of a remote program", remote + cat_of("type: cpu"),
         "t:2:45: error: cat1.type: cpu is impossible: supervisord runs on another machine "
         "(config.supervisordUrl), whose pids mean nothing here\n"},
        {"kill of a remote program", remote + "cat1: {program: a, action: kill}\n",
         "t:2:28: error: cat1.action: kill is impossible: supervisord runs on another machine "
         "(config.supervisordUrl), whose pids mean nothing here\n"},
        {"http of a remote program", remote + cat_of("type: http"), ""},
        {"user without pass", "config: {supervisordUser: u}\n" + cat_of(""),
         "t:1:27: warning: config.supervisordUser: is given without supervisordPass\n"},
        {"pass without user", "config: {supervisordPass: u}\n" + cat_of(""),
         "t:1:27: warning: config.supervisordPass: is given without supervisordUser\n"},
        {"verification without tls", cat_of("verify: no"),
         "t:1:47: warning: cat1.verify: has no effect: tls is false\n"},
        {"authorities without tls", cat_of("tls: no, caFile: /x"),
         "t:1:56: warning: cat1.caFile: has no effect: tls is false\n"},
        {"verification as always", cat_of("verify: yes"), ""},
        {"tls on another type", cat_of("type: tcp, tls: yes, caFile: /x"),
         "t:1:55: warning: cat1.tls: has no effect on type tcp\n"
         "t:1:68: warning: cat1.caFile: has no effect on type tcp\n"},
        {"relative authorities", cat_of("tls: on, caFile: x"),
         "t:1:56: error: cat1.caFile: 'x' must be an absolute path\n"},
        {"user in the url", "config: {supervisordUrl: 'http://u:p@h/RPC2'}\n" + cat_of(""),
         "t:1:26: warning: config.supervisordUrl: holds a user or password: accepted, and masked wherever "
         "the URL "
         "is shown; better give supervisordUser and supervisordPass\n"},
    });
}

BOOST_AUTO_TEST_CASE(a_key_that_is_empty_counts_as_not_given) {
    check_table({
        {"texts", cat_of("json: '', username: '', password: \"\", headers: ' ', caFile: ''"),
         "t:1:39: warning: cat1.json: has no value and is ignored\n"
         "t:1:49: warning: cat1.username: has no value and is ignored\n"
         "t:1:63: warning: cat1.password: has no value and is ignored\n"
         "t:1:77: warning: cat1.headers: has no value and is ignored\n"
         "t:1:91: warning: cat1.caFile: has no value and is ignored\n"},
        {"with a default", cat_of("port: '', type: ''"),
         "t:1:39: warning: cat1.port: has no value; the default 80 is used\n"
         "t:1:49: warning: cat1.type: has no value; the default http is used\n"},
        {"that is required", mail("host: '', from: a@b.c, to_list: ''"),
         "t:1:10: error: config.mail.host: is missing\n"
         "t:1:10: error: config.mail.to_list: is missing\n"},
        {"that another one needs", "cat1: {program: a, action: exec, execCmd: ''}\n",
         "t:1:28: error: cat1.execCmd: is missing: action is exec\n"
         "t:1:34: warning: cat1.execCmd: has no value and is ignored\n"},
        {"program", "web: {program: '', action: restart}\n",
         "t:1:1: warning: web.program: is missing: the cat's name, 'web', is taken for the program's\n"
         "t:1:7: warning: web.program: has no value and is ignored\n"},
        {"sections", "config: {mail: '', webhooks: ''}\n" + cat_of("") + "cat2: ''\n",
         "t:3:1: warning: cat2: is empty; this cat is left out\n"},
        {"config", "config: ''\n" + cat_of(""), ""},
    });
}

BOOST_AUTO_TEST_CASE(keys_of_the_python_script_are_told_by_what_they_are_called_here) {
    check_table({
        {"memory", cat_of("maxRss: 5"),
         "t:1:39: error: cat1.maxRss: unknown key 'maxRss'; it is 'maxMem' here\n"},
        {"in another case", cat_of("maxRSS: 5"),
         "t:1:39: error: cat1.maxRSS: unknown key 'maxRSS'; it is 'maxMem' here\n"},
        {"children", cat_of("cumulative: true"),
         "t:1:39: error: cat1.cumulative: unknown key 'cumulative'; the process alone is measured here, by "
         "'memType'; give a child that matters a cat of its own, found by 'pidGet'\n"},
        {"request", cat_of("body: x"),
         "t:1:39: error: cat1.body: unknown key 'body'; it is 'json' here, sent with 'mode: POST'\n"},
        {"this machine", cat_of("localProc: true"),
         "t:1:39: error: cat1.localProc: unknown key 'localProc'; 'pidGet' says here how a process of this "
         "machine is found: supervisor, name or file\n"},
        {"chat", "config: {wechat: {corpid: x}}\n" + cat_of(""),
         "t:1:10: error: config.wechat: unknown key 'wechat'; give the address as config.webhooks.wechat: "
         "{url: "
         "...}\n"},
        {"another chat", "config: {Slack: {x: y}}\n" + cat_of(""),
         "t:1:10: error: config.Slack: unknown key 'Slack'; give the address as config.webhooks.slack: {url: "
         "...}\n"},
        {"chat of a cat", cat_of("feishu: x"),
         "t:1:39: error: cat1.feishu: unknown key 'feishu'; give the address as config.webhooks.feishu: "
         "{url: "
         "...}, and name it in 'action'\n"},
        {"mail", mail("host: h, from: a@b.c, to_list: a@b.c, username: x"),
         "t:1:55: error: config.mail.username: unknown key 'username'; it is 'user' here\n"},
    });
}

BOOST_AUTO_TEST_CASE(two_cats_that_judge_the_same_differently_are_a_warning) {
    const std::string mem = "a: {program: web, type: mem, action: restart, maxMem: 512}\n";
    check_table({
        {"memory", mem + "b: {program: web, type: mem, action: restart, maxMem: 100}\n",
         "t:2:55: warning: b.maxMem: is 100, but 'a' in line 1 checks the same program for the same by 512: "
         "whichever is reached first acts\n"},
        {"by a default", mem + "b: {program: 'web:web', type: mem, action: restart}\n",
         "t:2:1: warning: b.maxMem: is 1024, but 'a' in line 1 checks the same program for the same by 512: "
         "whichever is reached first acts\n"},
        {"a member beside its group",
         "a: {program: 'web:*', type: cpu, action: restart}\nb: {program: 'web:web_00', type: cpu, action: "
         "restart, maxCpu: 50}\n",
         "t:2:64: warning: b.maxCpu: is 50, but 'a' in line 1 checks the same program for the same by 90: "
         "whichever is reached first acts\n"},
        {"the same limit", mem + "b: {program: web, type: mem, action: restart, maxMem: 512}\n", ""},
        {"other memory", mem + "b: {program: web, type: mem, action: restart, maxMem: 1, memType: uss}\n",
         ""},
        {"another type", mem + "b: {program: web, type: cpu, action: restart}\n", ""},
        {"another program", mem + "b: {program: web2, type: mem, action: restart}\n", ""},
        {"switched off", mem + "b: {program: web, type: mem, action: restart, maxMem: 1, enabled: no}\n", ""},
        {"other pages",
         "a: {program: web, action: restart, path: /a}\nb: {program: web, action: restart, path: /b, "
         "timeoutSeconds: 1}\n",
         ""},
    });
}

BOOST_AUTO_TEST_CASE(mail_section) {
    check_table({
        {"null", "config: {mail: }\n" + cat_of(""), ""},
        {"empty", mail(""),
         "t:1:10: error: config.mail.host: is missing\n"
         "t:1:10: error: config.mail.to_list: is missing\n"
         "t:1:10: error: config.mail.from: is missing: give the sender's address, or user, from which it is "
         "taken\n"},
        {"text", "config: {mail: x}\n" + cat_of(""),
         "t:1:16: error: config.mail: must be a map of keys and values\n"},
        {"list with commas", mail("host: h, from: a@b.c, to_list: 'a@b.c , d@e.f'"), ""},
        {"bad address", mail("host: h, from: a@b.c, to_list: [a@b.c, d@]"),
         "t:1:48: error: config.mail.to_list: 'd@' is no mail address (name@example.org)\n"},
        {"address that is not ASCII", mail("host: h, from: a@b.c, to_list: [x@münchen.de]"),
         "t:1:48: error: config.mail.to_list: 'x@münchen.de' has a character that is not ASCII: write the "
         "domain "
         "in its xn-- form\n"},
        {"webhook with a length of its own",
         "config: {webhooks: {h: {url: 'http://h/x', headers: {content-length: 1}}}}\n" + cat_of(""),
         "t:1:53: error: config.webhooks.h.headers: must not hold 'content-length': it follows from the call "
         "and the "
         "URL\n"},
        {"injected header", mail("host: h, to_list: a@b.c, from: \"x@y.z\\r\\nBcc: a@b\""),
         "t:1:48: error: config.mail.from: holds a line break or another control character (0x0D)\n"},
        {"user that is no address", mail("host: h, to_list: a@b.c, user: ops"),
         "t:1:48: error: config.mail.from: is missing: 'ops' (user) is no mail address that could be the "
         "sender\n"},
        {"pass without user", mail("host: h, to_list: a@b.c, from: a@b.c, pass: x"),
         "t:1:61: warning: config.mail.pass: has no effect: without user there is no login\n"},
        {"tls", mail("host: h, to_list: a@b.c, from: a@b.c, tls: ssl"),
         "t:1:60: error: config.mail.tls: unknown value 'ssl'; known are implicit, starttls, opportunistic, "
         "none\n"},
    });
}

BOOST_AUTO_TEST_SUITE_END()

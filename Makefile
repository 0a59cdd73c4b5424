# healthcheckd. `make help` lists the targets.
#
# Sources are found in the folders: a new file or folder in common/, master/, worker/ or t/ needs no edit here.
# V=1 shows the commands. SAN=1 builds everything with the address and undefined-behaviour sanitizers, in a folder of its own.

VERSION  := 0.1.0
PREFIX   ?= /usr/local
DESTDIR  ?=
# Of another architecture's compiler, "aarch64-linux-gnu-". The package's build names its tools one by one.
CROSS    ?=
ifeq ($(origin CXX),default)
CXX      := $(CROSS)g++
endif
ifeq ($(origin AR),default)
AR       := $(CROSS)ar
endif
PKG_CONFIG ?= $(CROSS)pkg-config
PKGS     := libcurl libseccomp libuv spdlog yaml-cpp openssl
comma    := ,
B        := build$(if $(SAN),-san)

CPPFLAGS += -I. -DHEALTHCHECKD_VERSION='"$(VERSION)"' $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
# Lines and functions in a backtrace; variables for a debugger are -g, which takes half as long again to build.
CXXFLAGS ?= $(if $(SAN),-O1,-O2) -g1
# -Wrestrict of g++ 12 sees overlaps in std::string that cannot be (GCC bug 105329).
# Under the sanitizers it takes std::regex for uninitialized (the manual of GCC says that they make it err more often).
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Werror -Wno-restrict $(if $(SAN),-Wno-maybe-uninitialized)
HARDEN   := -fPIE -fstack-protector-strong -D_GLIBCXX_ASSERTIONS $(if $(SAN),,-D_FORTIFY_SOURCE=2)
SANFLAGS := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
override CXXFLAGS += -std=c++20 $(WARN) $(HARDEN) $(SANFLAGS)
LDFLAGS  += -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS)
# libcurl and OpenSSL are loaded at run time, by the processes that need them: common/net/libcurl.h.
LOADED   := libcurl openssl
LDLIBS   := $(shell $(PKG_CONFIG) --libs $(filter-out $(LOADED),$(PKGS)) 2>/dev/null) -lxmlrpc++ -lxmlrpc -lresolv
TEST_LDLIBS := $(shell $(PKG_CONFIG) --libs $(LOADED) 2>/dev/null) -lboost_unit_test_framework
Q        := $(if $(V),,@)

MAINS    := master/entry/main.cc master/ctl/main.cc
LIB_SRC  := $(filter-out $(MAINS),$(sort $(shell find common master worker -name '*.cc')))
FIXTURES := $(sort $(shell find t/fixture -name '*.cc'))
UNIT_SRC := $(sort $(shell find t/unit -name '*.cc')) $(wildcard t/fuzz/fuzz_*.cc)
TEST_SRC := $(FIXTURES) $(UNIT_SRC) $(sort $(shell find t/process t/e2e t/docs -name '*.cc'))
# The sources of one folder are compiled as one: most of what a source costs is what all of them include.
rooms     = $(addsuffix room.o,$(addprefix $(B)/,$(sort $(dir $(1)))))
# The tables of what can be added, by themselves: a test puts others in their place.
TABLES   := worker/check/table.cc master/action/type/table.cc master/mailer/channel/table.cc common/wire/control.cc \
            master/control/commands.cc
LIB_OBJ  := $(call rooms,$(filter-out $(TABLES),$(LIB_SRC))) $(TABLES:%.cc=$(B)/%.o)
TEST_OBJ := $(call rooms,$(TEST_SRC))
UNIT_OBJ := $(call rooms,$(UNIT_SRC))
MAIN_OBJ := $(MAINS:%.cc=$(B)/%.o)
FORMATTED := $(sort $(shell find common master worker t -name '*.cc' -o -name '*.h'))
MAN      := $(wildcard man/*.1 man/*.5 man/*.7 man/*.8)

all: $(B)/healthcheckd $(B)/healthcheckctl

$(B)/healthcheckd: $(B)/master/entry/main.o $(B)/libhealthcheckd.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/healthcheckctl: $(B)/master/ctl/main.o $(B)/libhealthcheckd.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Linked to what is loaded at run time, so that dpkg-shlibdeps names its packages: see conf/debian/rules.
$(B)/loaded.so:
	@mkdir -p $(@D)
	$(Q)$(CXX) -shared -o $@ -Wl,--no-as-needed $(shell $(PKG_CONFIG) --libs $(LOADED))

# Files of different folders share names: "r" of ar(1) would take one for a newer version of the other.
$(B)/libhealthcheckd.a: $(LIB_OBJ)
	@rm -f $@
	@echo "  AR    $@"
	$(Q)$(AR) qcs $@ $^

$(B)/testrunner: $(TEST_OBJ) $(B)/libhealthcheckd.a | $(B)/sample/healthcheckd $(B)/sample/healthcheckctl
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(TEST_LDLIBS)

$(B)/unitrunner: $(UNIT_OBJ) $(call rooms,$(FIXTURES)) $(B)/libhealthcheckd.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS) $(TEST_LDLIBS)

# The headers of libraries that many sources include, read once. The compiler takes usual.h.gch for usual.h when the
# flags are the same; without it every source would spend half of its time on them.
$(B)/pch/common/usual.h.gch $(B)/pch/t/usual.h.gch: $(B)/pch/%.h.gch: %.h $(B)/flags
	@mkdir -p $(@D)
	@echo "  CXX   $@"
	$(Q)echo '#include "$<"' > $(@:.gch=) && \
	    $(CXX) $(CPPFLAGS) $(COMPILE) -x c++-header -o $@.part $(@:.gch=) && mv $@.part $@

# Half of what a test costs is code of the assertions' templates; what is tested is compiled as it is installed.
TESTFLAGS := $(filter-out -O%,$(CXXFLAGS)) -O0 -U_FORTIFY_SOURCE
COMPILE    = $(CXXFLAGS)
$(B)/t/%.o $(B)/pch/t/usual.h.gch: private COMPILE = $(TESTFLAGS)
$(B)/t/%.o $(B)/pch/t/usual.h.gch: private CPPFLAGS += -DBOOST_TEST_DYN_LINK

# What everything is compiled by. Another VERSION, compiler or flag writes it anew, and everything is compiled again.
# Sorted, as a make that this one starts adds to the flags of the environment what they have already. A rule without a
# condition would make `make -n` announce that everything is compiled.
COMPILED_BY := $(sort $(CXX) $(CPPFLAGS) $(CXXFLAGS) $(TESTFLAGS))
ifneq ($(file <$(B)/flags),$(COMPILED_BY))
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(COMPILED_BY))' > $@
endif

# By way of another name: a build that is killed leaves no object that looks complete.
CC_RULE    = $(Q)$(CXX) $(CPPFLAGS) $(COMPILE) -include $(USUAL) -MMD -MP -MF $(@:.o=.d) -MT $@ -c -o $@.part $< && mv $@.part $@
$(B)/t/%.o: private USUAL = $(B)/pch/t/usual.h
$(B)/t/%.o: t/%.cc $(B)/flags | $(B)/pch/t/usual.h.gch
	@mkdir -p $(@D)
	@echo "  CXX   $@"
	$(CC_RULE)

USUAL     = $(B)/pch/common/usual.h
$(B)/%.o: %.cc $(B)/flags | $(B)/pch/common/usual.h.gch
	@mkdir -p $(@D)
	@echo "  CXX   $@"
	$(CC_RULE)

# room.cc of a folder is written when it does not include exactly the sources of the folder.
SOURCES := $(filter-out $(TABLES),$(LIB_SRC)) $(TEST_SRC)
hash    := \#
sources_in = $(foreach each,$(SOURCES),$(if $(filter $(1),$(dir $(each))),$(each)))
define room
ifneq ($$(strip $$(file <$(B)/$(1)room.cc)),$$(patsubst %,$$(hash)include "%",$$(call sources_in,$(1))))
$(B)/$(1)room.cc: FORCE
	@mkdir -p $$(@D)
	@printf '$$(hash)include "%s"\n' $$(call sources_in,$(1)) > $$@.part && mv $$@.part $$@
endif
endef
$(foreach folder,$(sort $(dir $(SOURCES))),$(eval $(call room,$(folder))))

$(B)/t/%/room.o: private USUAL = $(B)/pch/t/usual.h
$(B)/t/%/room.o: $(B)/t/%/room.cc $(B)/flags | $(B)/pch/t/usual.h.gch
	@echo "  CXX   t/$*"
	$(CC_RULE)

$(B)/%/room.o: $(B)/%/room.cc $(B)/flags | $(B)/pch/common/usual.h.gch
	@echo "  CXX   $*"
	$(CC_RULE)

.SECONDARY: $(filter %/room.cc,$(LIB_OBJ:.o=.cc) $(TEST_OBJ:.o=.cc))

# healthcheckd and healthcheckctl with one more type of check, action, kind of channel and command: t/sample.
SAMPLE_SRC := t/sample/check.cc t/sample/action.cc t/sample/channel.cc
SAMPLE_OBJ := $(patsubst %.cc,$(B)/sample/%.o,$(SAMPLE_SRC) $(TABLES))

$(B)/sample/%.cc: %.cc t/sample/add t/sample/command.cc
	@mkdir -p $(@D)
	@t/sample/add $< > $@.part && mv $@.part $@

$(TABLES:%.cc=$(B)/sample/%.o): $(B)/sample/%.o: $(B)/sample/%.cc $(B)/flags | $(B)/pch/common/usual.h.gch
	@echo "  CXX   $@"
	$(CC_RULE)

$(SAMPLE_SRC:%.cc=$(B)/sample/%.o): $(B)/sample/%.o: %.cc $(B)/flags | $(B)/pch/common/usual.h.gch
	@mkdir -p $(@D)
	@echo "  CXX   $@"
	$(CC_RULE)

$(B)/sample/healthcheckd: $(B)/master/entry/main.o $(SAMPLE_OBJ) $(B)/libhealthcheckd.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(B)/sample/healthcheckctl: $(B)/master/ctl/main.o $(B)/sample/common/wire/control.o $(B)/libhealthcheckd.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.SECONDARY: $(TABLES:%=$(B)/sample/%)

-include $(LIB_OBJ:.o=.d) $(TEST_OBJ:.o=.d) $(MAIN_OBJ:.o=.d) $(SAMPLE_OBJ:.o=.d)

deps: ## install the Debian packages that are missing
	@conf/install-packages

check: deps ## install what is missing, build, run every test
	@$(MAKE) --no-print-directory -j$$(nproc) $(B)/healthcheckd $(B)/healthcheckctl $(B)/testrunner
	@$(B)/testrunner --all

check-unit: ## build and run the tests of t/unit, which need no other process
	@$(MAKE) --no-print-directory -j$$(nproc) $(B)/unitrunner
	@$(B)/unitrunner --all

# The tests of t/unit, t/process and t/docs: those of the whole daemon take twice as long again, with check SAN=1.
check-san: ## build with the sanitizers, run the tests that need no whole daemon
	@$(MAKE) --no-print-directory SAN=1 -j$$(nproc) build-san/healthcheckd build-san/healthcheckctl build-san/testrunner
	@build-san/testrunner --all test_ e2e_link e2e_restart e2e_smtp

# Makes the folder for DIST on its first run: see HACKING.md.
check-distro: ## as root: build and run every test in a folder with another Debian (DIST=trixie)
	@t/distro/check-distro "$(DIST)"

# In a virtual machine, on the folder of check-distro: see HACKING.md.
check-kernel: ## as root: build, and run every test on a kernel of Debian's (KERNEL=5.10, 6.1, 6.12, newest)
	@t/kernel/check-kernel "$(KERNEL)"

# By the same script: see HACKING.md.
check-arch: ## as root: build for ARCH=arm64, and run every test on Debian's kernel for it (KERNEL=6.1)
	@ARCH="$(or $(ARCH),arm64)" t/kernel/check-kernel "$(or $(KERNEL),6.1)"

# In containers made from conf/container/Dockerfile: see HACKING.md.
check-container: ## as root: build, and run healthcheckd under supervisord in containers of many kinds
	@t/container/check-container $(CONTAINERS)

# About as slow as check-distro: see HACKING.md.
check-deb: ## as root: build, install, upgrade and purge the package in folders with Debian DIST=bookworm
	@t/distro/check-deb "$(DIST)"

demo: ## watch healthcheckd mend four broken programs, in under a minute
	@conf/install-packages build run demo
	@$(MAKE) --no-print-directory -j$$(nproc) all
	@t/demo/demo $(B)/healthcheckd

# Half an hour, on a machine that has nothing else to do. Results go to BENCH_OUT; BENCH_ARGS: see t/bench/bench --help.
PREDECESSOR ?=
BENCH_OUT   ?= bench-results
bench: deps ## measure healthcheckd beside monit, and the Python script PREDECESSOR= if given
	@conf/install-packages bench
	@$(MAKE) --no-print-directory -j$$(nproc) $(B)/healthcheckd
	@t/bench/bench $(B)/healthcheckd --out $(BENCH_OUT) $(if $(PREDECESSOR),--predecessor $(PREDECESSOR)) $(BENCH_ARGS)

# Fuzzing: TARGET is protocol, config, supervisor, transfer, control or answer (t/fuzz/fuzz_TARGET.cc). Needs the package clang. What
# libFuzzer finds of interest goes to build-fuzz/corpus/TARGET, what breaks a promise to build-fuzz/TARGET-crash-...
TARGET   ?= protocol
SECONDS  ?= 60
FUZZ_B   := build-fuzz
FUZZ_OBJ := $(LIB_OBJ:$(B)/%=$(FUZZ_B)/%) $(FUZZ_B)/t/fuzz/fuzz_$(TARGET).o $(FUZZ_B)/t/fuzz/entry-$(TARGET).o
CLANG    ?= clang++
FUZZ_CXX := $(CLANG) $(CPPFLAGS) -std=c++20 -O1 -g -D_GLIBCXX_ASSERTIONS -fno-omit-frame-pointer -MMD -MP

$(FUZZ_B)/t/fuzz/entry-$(TARGET).o: t/fuzz/entry.cc
	@mkdir -p $(@D)
	@echo "  CLANG $@"
	$(Q)$(FUZZ_CXX) -DFUZZ_TARGET=fuzz_$(TARGET) -fsanitize=fuzzer-no-link,address -c -o $@ $<

$(FUZZ_B)/%/room.o: $(B)/%/room.cc
	@mkdir -p $(@D)
	@echo "  CLANG $*"
	$(Q)$(FUZZ_CXX) -fsanitize=fuzzer-no-link,address -c -o $@ $<

$(FUZZ_B)/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  CLANG $@"
	$(Q)$(FUZZ_CXX) -fsanitize=fuzzer-no-link,address -c -o $@ $<

$(FUZZ_B)/$(TARGET): $(FUZZ_OBJ)
	@echo "  LINK  $@"
	$(Q)$(CLANG) -fsanitize=fuzzer,address -o $@ $^ $(LDLIBS)

-include $(FUZZ_OBJ:.o=.d)

# Nothing but the fuzzer is built by clang, so nobody would see otherwise that it refuses what g++ takes; nor, as g++ takes
# a folder at once, that a source does not include what it uses. The folders are taken as the fuzzer takes them, without
# the headers of usual.h, so that a header of healthcheckd that needs one of those includes it.
CLANG_B   := build-clang
CHECKED   := $(patsubst %.cc,$(CLANG_B)/%.checked,$(LIB_SRC) $(MAINS) $(TEST_SRC) $(SAMPLE_SRC)) \
             $(patsubst $(B)/%.o,$(CLANG_B)/%.checked,$(filter %/room.o,$(LIB_OBJ)))
CLANG_SYNTAX := $(CLANG) $(CPPFLAGS) -DBOOST_TEST_DYN_LINK -std=c++20

# Its dependencies are those of libraries too: clang refuses one that is older than a header in it.
$(CLANG_B)/%.pch: %.h
	@mkdir -p $(@D)
	@echo "  CLANG $@"
	$(Q)$(CLANG_SYNTAX) -MD -MP -MF $@.d -MT $@ -fpch-instantiate-templates -x c++-header -o $@ $<

$(CLANG_B)/t/%.checked: t/%.cc $(CLANG_B)/t/usual.pch
	@mkdir -p $(@D)
	$(Q)$(CLANG_SYNTAX) -MMD -MP -MF $@.d -MT $@ -include-pch $(CLANG_B)/t/usual.pch -fsyntax-only $< && touch $@

$(CLANG_B)/%.checked: %.cc $(CLANG_B)/common/usual.pch
	@mkdir -p $(@D)
	$(Q)$(CLANG_SYNTAX) -MMD -MP -MF $@.d -MT $@ -include-pch $(CLANG_B)/common/usual.pch -fsyntax-only $< && touch $@

$(CLANG_B)/%/room.checked: $(B)/%/room.cc
	@mkdir -p $(@D)
	$(Q)$(CLANG_SYNTAX) -MMD -MP -MF $@.d -MT $@ -fsyntax-only $< && touch $@

# Not to be removed as a step between.
.SECONDARY: $(CLANG_B)/common/usual.pch $(CLANG_B)/t/usual.pch

-include $(CHECKED:=.d) $(CLANG_B)/common/usual.pch.d $(CLANG_B)/t/usual.pch.d

clang-check: ## fail if clang, which `make fuzz` needs, does not take a source
	@if ! command -v $(firstword $(CLANG)) >/dev/null; then echo "SKIPPED: no $(CLANG) looked at the sources"; else \
	    $(MAKE) --no-print-directory -k -j$$(nproc) $(CHECKED) && echo "$(CLANG): $(words $(CHECKED)) files taken"; fi

fuzz: ## fuzz TARGET (protocol, config, supervisor, transfer, control, answer) for SECONDS (60)
	@$(MAKE) --no-print-directory -j$$(nproc) $(FUZZ_B)/$(TARGET)
	@mkdir -p $(FUZZ_B)/corpus/$(TARGET)
	$(FUZZ_B)/$(TARGET) -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=8192 -print_final_stats=1 \
	    -artifact_prefix=$(FUZZ_B)/$(TARGET)- $(FUZZ_B)/corpus/$(TARGET) t/fuzz/corpus/$(TARGET)

FUZZED := $(patsubst t/fuzz/fuzz_%.cc,%,$(wildcard t/fuzz/fuzz_*.cc))
fuzz-each: ## fuzz every target for SECONDS (60), one after another
	@set -e; for target in $(FUZZED); do \
	    $(MAKE) --no-print-directory fuzz TARGET=$$target SECONDS=$(SECONDS) >$(FUZZ_B)-$$target.log 2>&1 || \
	        { tail -n 40 $(FUZZ_B)-$$target.log; echo "fuzz $$target: FAILED"; exit 1; }; \
	    echo "fuzz $$target: $$(grep stat::number_of_executed_units $(FUZZ_B)-$$target.log | tr -cd 0-9) inputs in $(SECONDS) s, no finding"; \
	done

$(B)/fuzz-replay-$(TARGET): t/fuzz/replay.cc t/fuzz/entry.cc $(B)/t/fuzz/fuzz_$(TARGET).o $(B)/libhealthcheckd.a
	@echo "  LINK  $@"
	$(Q)$(CXX) $(CPPFLAGS) $(CXXFLAGS) $(LDFLAGS) -DFUZZ_TARGET=fuzz_$(TARGET) -o $@ $^ $(LDLIBS)

fuzz-replay: $(B)/fuzz-replay-$(TARGET) ## feed FILES (the committed ones) to TARGET, without a fuzzer
	$(B)/fuzz-replay-$(TARGET) $(or $(FILES),t/fuzz/corpus/$(TARGET))

format: ## rewrite the sources in the project's style
	clang-format -i $(FORMATTED)

format-check: ## fail if a source is not in the project's style
	@clang-format --dry-run -Werror $(FORMATTED) && echo "format: $(words $(FORMATTED)) files in style"

# Whether a page that ours refer to is installed here says nothing about ours, and mandoc takes the last byte of a
# Chinese heading for a full stop.
man-lint: ## fail on any complaint of mandoc about the manual pages
	@complaints=$$(mandoc -Tlint $(MAN) 2>&1 | grep -v -e 'referenced manual not found' -e 'outdated mandoc.db' \
	    -e 'trailing delimiter: Ss .\[u'); \
	if [ -n "$$complaints" ]; then echo "$$complaints"; exit 1; fi; echo "man pages: no complaints"

tidy: ## clang-tidy over the sources
	clang-tidy --quiet $(LIB_SRC) $(MAINS) -- $(CPPFLAGS) -std=c++20

# What is installed, as FILE:PLACE below PREFIX.
DOC       := share/doc/healthcheckd
EXAMPLES  := conf/config.yaml conf/healthCheck.ini conf/healthcheckd.service conf/logrotate
INSTALLED := $(B)/healthcheckd:sbin/healthcheckd $(B)/healthcheckctl:bin/healthcheckctl \
             conf/healthcheckctl.bash:share/bash-completion/completions/healthcheckctl \
             $(foreach page,$(MAN),$(page):share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
             $(foreach file,$(wildcard README*.md),$(file):$(DOC)/$(file)) \
             $(foreach file,$(EXAMPLES),$(file):$(DOC)/examples/$(notdir $(file)))

# The examples name the program where it is.
install: all ## install below $(DESTDIR)$(PREFIX)
	@set -e; for pair in $(INSTALLED); do \
	    case $$pair in $(B)/*) mode=755 ;; *) mode=644 ;; esac; \
	    echo "  INST  $(DESTDIR)$(PREFIX)/$${pair#*:}"; \
	    install -D -m $$mode "$${pair%%:*}" "$(DESTDIR)$(PREFIX)/$${pair#*:}"; \
	done
	$(Q)sed -i 's,/usr/local/sbin/,$(PREFIX)/sbin/,' \
	    $(addprefix "$(DESTDIR)$(PREFIX)"/$(DOC)/examples/,$(notdir $(EXAMPLES)))

# Folders that other software shares stay, and so does what healthcheckd wrote: see HACKING.md.
uninstall: ## remove what install has put below $(DESTDIR)$(PREFIX)
	rm -f $(foreach pair,$(INSTALLED),"$(DESTDIR)$(PREFIX)"/$(lastword $(subst :, ,$(pair))))
	rmdir --ignore-fail-on-non-empty "$(DESTDIR)$(PREFIX)"/$(DOC)/examples "$(DESTDIR)$(PREFIX)"/$(DOC)

# A package for this Debian, in build/deb: conf/make-deb. With ARCH=arm64 for that architecture, by a cross compiler.
DEB_VERSION ?= $(VERSION)
deb: ## build a Debian package, in build/deb (ARCH=arm64: for another architecture)
	@conf/install-packages $(if $(ARCH),,build) deb
	@$(if $(ARCH),conf/install-cross "$(ARCH)")
	@conf/make-deb "$(DEB_VERSION)" $(ARCH)

clean: ## remove everything that was built
	rm -rf build build-*

help: ## list the targets
	@echo "all            build build/healthcheckd and build/healthcheckctl"
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' Makefile

.PHONY: FORCE all bench deps check check-arch check-container check-deb check-distro check-kernel check-san check-unit clang-check deb demo fuzz fuzz-each fuzz-replay format format-check man-lint tidy \
        install uninstall clean help

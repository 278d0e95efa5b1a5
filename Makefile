# Makefile - everything there is to build and check; `make help` lists the targets.
# Variants live side by side: build/dev, build/asan, build/tsan, build/fuzz.
VARIANT ?= dev
BUILD   ?= build/$(VARIANT)
CC      ?= gcc
VERSION := 0.1.0

LIBS := libuv libcurl libmicrohttpd libcjson yaml-0.1 uuid libcrypto sqlite3
ifeq ($(filter deps help clean lint format run check,$(MAKECMDGOALS)),)
LIB_CFLAGS := $(shell pkg-config --cflags $(LIBS) 2>/dev/null)
LIB_LDLIBS := $(shell pkg-config --libs $(LIBS) 2>/dev/null)
endif

WARN := -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wvla
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
OPT_dev  := -O2 -g $(HARDEN)
OPT_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
OPT_tsan := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
OPT_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
LINK_dev := -pie -Wl,-z,relro,-z,now
LINK_asan := -fsanitize=address,undefined
LINK_tsan := -fsanitize=thread
LINK_fuzz := -fsanitize=fuzzer,address,undefined
ifeq ($(VARIANT),fuzz)
CC := clang
endif

CPPFLAGS := -D_GNU_SOURCE -DPENSTOCK_VERSION='"$(VERSION)"' -I. -Igateway -I$(BUILD) $(LIB_CFLAGS)
CFLAGS   := -std=c11 $(WARN) -fvisibility=hidden -fno-common $(OPT_$(VARIANT)) $(EXTRA_CFLAGS)
LDFLAGS  := $(LINK_$(VARIANT)) $(EXTRA_LDFLAGS)
LDLIBS   := $(LIB_LDLIBS) -lpthread -lm

BASE   := $(wildcard gateway/base/*.c)
IO     := $(wildcard gateway/io/*.c)
ENGINE := $(wildcard gateway/engine/*.c)
ADAPT  := $(wildcard sources/*.c sinks/*.c gateway/api/*.c)
CONFIG := $(wildcard config/*.c)
TOP    := gateway/registry.c $(filter-out gateway/registry.c gateway/main.c,$(wildcard gateway/*.c))
MAIN   := gateway/main.c
objs    = $(patsubst %.c,$(BUILD)/%.o,$(1))

ALL_LIB := $(BUILD)/libpenstock.a
UNIT    := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(BUILD)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.DEFAULT_GOAL := all
.PHONY: all help clean
all: $(BUILD)/penstock ## build the gateway

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## / — /'

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c $< -o $@

# One archive, rebuilt whole: members of removed files must not linger.
$(ALL_LIB): $(call objs,$(BASE) $(IO) $(ENGINE) $(ADAPT) $(CONFIG) $(TOP))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/penstock: $(call objs,$(MAIN)) $(ALL_LIB)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(ALL_LIB)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -lcmocka -o $@

$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(ALL_LIB)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

SIM_OBJECTS := $(call objs,$(wildcard tests/sim/*.c) $(filter-out gateway/engine/spool% gateway/engine/queue%,$(ENGINE)) $(BASE) gateway/io/loop_core.c gateway/io/metrics.c)
$(BUILD)/tests/sim/sim: $(SIM_OBJECTS)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# The queues in a world of clients, faults and crashes, on a spool of its own.
QUEUE_SIM_OBJECTS := $(call objs,$(wildcard tests/queuesim/*.c gateway/engine/queue*.c) $(BASE) gateway/io/loop_core.c)
$(BUILD)/tests/queuesim/queue_sim: $(QUEUE_SIM_OBJECTS)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

-include mk/embed.mk

.PHONY: deps run check unit sim asan tsan fuzz bench conformance lint format reference install
deps:
	@sh tests/tools/deps.sh build

run: ## install what is missing, build, and show an event reach a function
	@sh tests/tools/deps.sh build
	@$(MAKE) --no-print-directory -s -j$$(nproc) all
	@sh examples/quickstart/run.sh $(BUILD)/penstock

check: ## install what is missing, build, and run every test
	@sh tests/tools/deps.sh test && sh tests/tools/deps.sh lint
	@$(MAKE) --no-print-directory -s -j$$(nproc) test-binaries
	@python3 tests/tools/check.py --build $(BUILD)

.PHONY: test-binaries
test-binaries: $(BUILD)/penstock $(UNIT) $(BUILD)/tests/sim/sim $(BUILD)/tests/queuesim/queue_sim

unit: $(UNIT) ## unit tests alone
	@python3 tests/tools/check.py --build $(BUILD) unit

SEEDS ?= 20000
sim: $(BUILD)/tests/sim/sim $(BUILD)/tests/queuesim/queue_sim ## the seeded simulations alone; SEEDS=N
	@$(BUILD)/tests/sim/sim --seeds $(SEEDS)
	@$(BUILD)/tests/queuesim/queue_sim --seeds $$(($(SEEDS) / 4))

asan: ## unit tests and simulation under ASan and UBSan
	@$(MAKE) --no-print-directory -s VARIANT=asan unit-and-sim SEEDS=2000

tsan: ## unit tests and simulation under TSan
	@$(MAKE) --no-print-directory -s VARIANT=tsan unit-and-sim SEEDS=1000

.PHONY: unit-and-sim
unit-and-sim: $(UNIT) $(BUILD)/tests/sim/sim $(BUILD)/tests/queuesim/queue_sim
	@ASAN_OPTIONS=handle_segv=2:detect_leaks=1 \
	  python3 tests/tools/check.py --build $(BUILD) --seeds $(SEEDS) unit sim

FUZZ_SECONDS ?= 60
fuzz: ## every parser for FUZZ_SECONDS each
	@sh tests/tools/deps.sh fuzz
	@$(MAKE) --no-print-directory -s VARIANT=fuzz fuzzers
	@for f in $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/fuzz_*.c)); do \
	  mkdir -p build/fuzz/corpus/$$f && echo "== $$f" && \
	  build/fuzz/tests/fuzz/$$f -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 -verbosity=0 \
	    build/fuzz/corpus/$$f $$(ls -d tests/fuzz/corpus/$${f#fuzz_} 2>/dev/null) || exit 1; done

.PHONY: fuzzers
fuzzers: $(FUZZERS)

bench: all ## measure; figures and ratios, never pass or fail
	@python3 tests/bench/run.py

conformance: all ## the shared corpus, when it is there (CORPUS_DIR)
	@PENSTOCK=$(BUILD)/penstock python3 tests/conformance/patterns.py
	@PENSTOCK=$(BUILD)/penstock python3 tests/integration/run.py corpus

lint: ## layers, walls, lengths, banned calls, format, reference
	@python3 tests/tools/lint.py
	@! test -x $(BUILD)/penstock || $(BUILD)/penstock help reference | cmp - docs/reference.md || \
	  { echo "docs/reference.md is not what the program prints: make reference"; exit 1; }

reference: all ## write docs/reference.md from the option tables
	@$(BUILD)/penstock help reference > docs/reference.md

format: ## clang-format everything
	@git ls-files '*.c' '*.h' | xargs clang-format -i

PREFIX ?= /usr/local
install: all ## install the stripped binary under PREFIX
	install -D -s -m 755 $(BUILD)/penstock $(DESTDIR)$(PREFIX)/bin/penstock

clean: ## remove everything that was built
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)

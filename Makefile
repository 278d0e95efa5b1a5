# Makefile - everything there is to build and check; `make help` lists the targets.
# Variants live side by side: build/dev, build/asan, build/tsan, build/fuzz.
VARIANT ?= dev
BUILD   ?= build/$(VARIANT)
CC      ?= gcc
VERSION := 0.1.0

LIBS := libuv libcurl libmicrohttpd libcjson yaml-0.1 uuid libcrypto
ifeq ($(filter deps help clean lint format,$(MAKECMDGOALS)),)
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

SIM_OBJECTS := $(call objs,$(wildcard tests/sim/*.c) $(ENGINE) $(BASE) gateway/io/loop_core.c gateway/io/metrics.c)
$(BUILD)/tests/sim/sim: $(SIM_OBJECTS)
	$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

clean: ## remove everything that was built
	rm -rf build

-include $(shell find build -name '*.d' 2>/dev/null)

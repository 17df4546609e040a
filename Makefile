# Everything a person or a forge does with pg-capture. `make help` lists it.
# On a bare Debian 12 with root or sudo each target installs what it needs first.

.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: build demo test nightly bench lint format generated coverage fuzz install clean help setup

SINK ?= kafka
PREFIX ?= /usr/local
DESTDIR ?=
PYTHON := /usr/bin/python3
PRESET ?= release

build: ## build/release/pg-capture, the one self-contained binary
	@tools/setup.sh build
	@tools/build.sh $(PRESET) pg-capture

demo: ## PostgreSQL under load, and what a Kafka consumer sees, live (SINK=console: without)
	@tools/setup.sh $(if $(filter kafka,$(SINK)),demo,console)
	@tools/together.sh 'tools/build.sh release pg-capture' \
		$(if $(filter kafka,$(SINK)),'tools/kafka.sh 4.3.1')
	@SINK=$(SINK) tools/demo

test: ## everything a change must pass (SUITES="unit house" for some)
	@tools/setup.sh test
	@$(PYTHON) tools/run_suites.py $(SUITES)

nightly: ## what takes longer: long simulation, fuzzing, soak, clang-tidy, coverage
	@tools/setup.sh coverage
	@$(PYTHON) tools/run_suites.py --nightly $(SUITES)

bench: ## pg-capture beside pg_recvlogical in the same run; PEERS=1: beside Debezium too
	@tools/setup.sh demo
	@tools/kafka.sh
	@tools/registry.sh
	@$(if $(PEERS),tools/debezium.sh)
	@tools/build.sh release pg-capture
	@bench/run $(if $(PEERS),--peers) $(BENCH)

lint: ## house rules, clang-format, clang-tidy
	@tools/setup.sh test
	@$(PYTHON) tools/house_rules.py
	@tools/clang_tidy.sh

format: ## clang-format over the tree
	@tools/setup.sh test
	@git ls-files -co --exclude-standard '*.cc' '*.h' | xargs -r /usr/bin/clang-format-19 -i

coverage: ## line coverage per room, with thresholds
	@tools/setup.sh coverage
	@$(PYTHON) tools/coverage.py

fuzz: ## every fuzz target for SECONDS_EACH seconds (default 60)
	@tools/setup.sh test
	@tools/build.sh sanitize fuzz_targets
	@$(PYTHON) tools/run_fuzz.py --seconds $(or $(SECONDS_EACH),60)

generated: build ## the pages, examples and schema that are made from the option tables
	@mkdir -p docs/reference examples
	@build/release/pg-capture config reference > docs/reference/configuration.md
	@build/release/pg-capture config schema > docs/reference/configuration.schema.json
	@build/release/pg-capture metrics > docs/reference/metrics.md
	@build/release/pg-capture config example --format yaml > examples/pg-capture.yaml
	@build/release/pg-capture config example --format toml > examples/pg-capture.toml
	@build/release/pg-capture config example --format env > .envrc.example
	@tools/setup.sh test
	@$(PYTHON) tools/types_page.py > docs/reference/types-debezium.md

install: build ## copies the binary to $(DESTDIR)$(PREFIX)/bin
	@install -D -m 755 build/release/pg-capture "$(DESTDIR)$(PREFIX)/bin/pg-capture"

setup: ## installs what `make test` needs, and nothing else
	@tools/setup.sh test

clean: ## removes build/; .deps/ (libpq, servers) stays
	@rm -rf build

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

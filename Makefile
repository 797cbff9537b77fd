# Each target works on a machine that has only npm and make: where there is no `deno` of at least
# DENO_MINIMUM on the PATH, DENO_VERSION is installed into .deno/ from npm. `make DENO=/path/to/deno`
# takes another one. The commands themselves, with their permissions, are the tasks in deno.json.

DENO_VERSION = 2.9.6
DENO_MINIMUM = 2.4.2

# What is typed behind ARGS goes to the command: make run ARGS="--loglevel debug"
ARGS =
UNITS =
TARGETS =

# Where the certificates of the machine's owner sign for the registry, they count too.
DENO_TLS_CA_STORE ?= mozilla,system
DENO_NO_UPDATE_CHECK = 1
export DENO_TLS_CA_STORE DENO_NO_UPDATE_CHECK

# `make DENO=...` or the environment's DENO, or the PATH's if it is new enough, or our own.
ifeq ($(origin DENO),undefined)
DENO := $(shell deno --version 2>/dev/null | awk -v minimum=$(DENO_MINIMUM) ' \
	$$1 == "deno" { split($$2, have, "[.]"); split(minimum, need, "[.]"); \
	for (i = 1; i <= 3; i++) if (have[i] + 0 != need[i] + 0) break; \
	if (i > 3 || have[i] + 0 > need[i] + 0) print "deno" }')
endif
ifeq ($(strip $(DENO)),)
PLATFORM := $(shell \
	case "$$(uname -s)" in (Linux) os=linux libc=-glibc ;; (Darwin) os=darwin ;; (*) os=win32 ;; esac; \
	case "$$(uname -m)" in (arm64 | aarch64) cpu=arm64 ;; (*) cpu=x64 ;; esac; \
	echo "$$os-$$cpu$$libc")
PACKAGE := @deno/$(PLATFORM)
INSTALLED := .deno/$(DENO_VERSION)/node_modules/$(PACKAGE)/deno$(if $(findstring win32,$(PLATFORM)),.exe)
DENO := $(CURDIR)/$(INSTALLED)
endif

# What needs none of the packages of the tests: `deno task` fetches all of a lock file.
PROGRAM_TASK = task --quiet --lock=src/deno.lock

# Shows how long a part takes: $(call part,name,command)
part = @printf '\n== %s\n' '$(1)'; start=$$(date +%s); $(2) && \
	printf '== %s: %s s\n' '$(1)' "$$(($$(date +%s) - start))"

.PHONY: help run demo test integration browser build smoke start-times dist fuzz fuzz-files crash crash-replicas crash-sentinels crash-monitor stale-reads power-cuts replication-cuts monitor-cuts differential conformance conformance-sentinel bench fmt lint check clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-20s %s\n", $$1, $$2 }' Makefile

run: $(INSTALLED) ## Run a server on port 6380 from source
	@$(DENO) $(PROGRAM_TASK) run $(ARGS)

demo: $(INSTALLED) ## A master, two replicas, a monitor and its page, with a way to kill one (ARGS="--http 9000")
	@$(DENO) $(PROGRAM_TASK) demo $(ARGS)

test: $(INSTALLED) ## Run all checks and all tests
	$(call part,format,$(DENO) fmt --check --quiet)
	$(call part,lint,$(DENO) lint --quiet)
	$(call part,types,$(DENO) task --quiet check)
	$(call part,documentation,$(DENO) task --quiet doc-lint)
	$(call part,unit tests,$(DENO) task --quiet test-unit)
	$(call part,examples,$(DENO) task --quiet test-examples)
	$(call part,integration tests,$(DENO) task --quiet test-integration)
	$(call part,browser tests,$(DENO) task --quiet test-browser)

integration: $(INSTALLED) ## Run the integration tests alone
	@$(DENO) task --quiet test-integration $(ARGS)

browser: $(INSTALLED) ## Run the tests of the monitor's page in Chromium alone
	@$(DENO) task --quiet test-browser $(ARGS)

build: $(INSTALLED) ## Compile the executable bin/miniredis
	@$(DENO) $(PROGRAM_TASK) build

smoke: $(INSTALLED) ## Try the executable that `make build` made
	@$(DENO) task --quiet smoke

start-times: $(INSTALLED) ## How long that executable takes to its first reply (ARGS="--rounds 30")
	@$(DENO) $(PROGRAM_TASK) start-times $(ARGS)

dist: $(INSTALLED) ## Make the downloads in dist/ (TARGETS="x86_64-apple-darwin", ARGS=--help)
	@$(DENO) $(PROGRAM_TASK) dist $(ARGS) $(TARGETS)

fuzz: $(INSTALLED) ## A million random and broken requests (ARGS="--frames 100000 --seed 7")
	@$(DENO) task --quiet fuzz $(ARGS)

fuzz-files: $(INSTALLED) ## A hundred thousand broken files (ARGS="--kind rdb --files 10000 --seed 7")
	@$(DENO) task --quiet fuzz-files $(ARGS)

crash: $(INSTALLED) ## A thousand kill -9 under load, each followed by a look at what is left (ARGS=--help)
	@$(DENO) task --quiet crash $(ARGS)

crash-replicas: $(INSTALLED) ## Two hundred kill -9 of a master or its replicas; what WAIT confirmed must last (ARGS=--help)
	@$(DENO) task --quiet crash-replicas $(ARGS)

crash-sentinels: $(INSTALLED) ## Twenty kill -9 of a master that sentinels watch over (ARGS=--help)
	@$(DENO) task --quiet crash-sentinels $(ARGS)

crash-monitor: $(INSTALLED) ## Two hundred kill -9 of the master behind a monitor, a hundred switches (ARGS=--help)
	@$(DENO) task --quiet crash-monitor $(ARGS)

stale-reads: $(INSTALLED) ## A million reads of what was just written, while replicas are late (ARGS=--help)
	@$(DENO) task --quiet stale-reads $(ARGS)

power-cuts: $(INSTALLED) ## Ten thousand simulated disks and power cuts, from seeds (ARGS=--help)
	@$(DENO) task --quiet power-cuts $(ARGS)

replication-cuts: $(INSTALLED) ## Ten thousand simulated groups of replicas and all that goes wrong between them (ARGS=--help)
	@$(DENO) task --quiet replication-cuts $(ARGS)

monitor-cuts: $(INSTALLED) ## Ten thousand simulated monitors in front of replicas, likewise (ARGS=--help)
	@$(DENO) task --quiet monitor-cuts $(ARGS)

differential: $(INSTALLED) ## The same random commands to redis-server and to ours (ARGS=--help)
	@$(DENO) task --quiet differential $(ARGS)

conformance: $(INSTALLED) ## Units of Redis' own Tcl suite (UNITS="unit/keyspace unit/expire", ARGS=--help)
	@$(DENO) task --quiet conformance $(ARGS) $(UNITS)

conformance-sentinel: $(INSTALLED) ## Redis' own tests of Sentinel (UNITS="00-base 05-manual", ARGS=--help)
	@$(DENO) task --quiet conformance-sentinel $(ARGS) $(UNITS)

bench: $(INSTALLED) ## Measure beside redis-server (some twenty-five minutes; ARGS=--help)
	@$(DENO) task --quiet bench $(ARGS)

fmt: $(INSTALLED) ## Format all files
	@$(DENO) fmt

lint: $(INSTALLED) ## Look for suspicious code
	@$(DENO) lint

check: $(INSTALLED) ## Check types and documentation
	@$(DENO) task --quiet check
	@$(DENO) task --quiet doc-lint

clean: ## Remove what was built and installed
	rm -rf bin dist .deno

# The binary itself, without the npm package `deno` around it, whose install script some machines
# don't run.
.deno/%:
	@echo "Installing Deno $(DENO_VERSION) ($(PLATFORM)) into .deno, since there is none on the PATH"
	@npm install --silent --no-save --no-package-lock --no-audit --no-fund --ignore-scripts \
		--prefix .deno/$(DENO_VERSION) $(PACKAGE)@$(DENO_VERSION)
	@chmod +x $@ && touch $@

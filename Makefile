# Build, test and run uzram. `make help` lists the targets.

GO      ?= go
PREFIX  ?= /usr/local
DESTDIR ?=

# What goes beside the program.
LIBEXEC = $(DESTDIR)$(PREFIX)/libexec/uzram
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
SCRIPTS = swap-on.sh swap-off.sh idle-mark.sh writeback.sh recompress.sh idle-writeback-loop.sh mount-saved.sh
UNITS   = $(notdir $(wildcard scripts/systemd/*))

# make run
SIZE ?= 1G
ALGO ?= lz4
DIR  ?= /tmp/uzram-demo-$(shell id -u)
TIME ?= 30s
SRC  ?= $(shell $(GO) env GOROOT)/src

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
TOOL    := $(GO) tool -modfile=internal/tools/go.mod

# The unit tests are all packages but the end-to-end suite, which needs the
# built binary and is a stage of its own, the one that kills it, and the one
# with other programs.
UNIT = $$($(GO) list ./... | grep -v -e /test/e2e$$ -e /test/crash$$ -e /test/clients$$)

# Packages that can be built with C's codecs beside ours.
BESIDE_C = ./compress ./internal/clib ./test/bench/codecs

STAGES := build check-fmt vet staticcheck shellcheck sums race invariants onecpu codecs clib cover e2e clients crash oracle

.DEFAULT_GOAL := build
.PHONY: help build install uninstall clean run stop test deps \
	check-fmt vet staticcheck shellcheck lint sums unit race invariants onecpu codecs clib cover e2e clients crash upgrade \
	oracle \
	corpus-test test-swap soak linear fuzz model \
	bench-engine bench-codecs bench-mount bench-memory bench-compaction bench-post bench-lock bench-gc bench-snapshot bench-devices

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/uzram
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '$(LDFLAGS)' -o bin/uzram ./cmd/uzram

install: build ## install below $(DESTDIR)$(PREFIX)
	install -D -m 0755 bin/uzram $(DESTDIR)$(PREFIX)/bin/uzram
	install -D -m 0644 docs/uzram.1 $(DESTDIR)$(PREFIX)/share/man/man1/uzram.1
	install -d $(LIBEXEC) $(UNITDIR)
	install -m 0755 $(SCRIPTS:%=scripts/%) $(LIBEXEC)
	install -m 0644 scripts/zram-lib.sh $(LIBEXEC)
	@set -e; for unit in $(UNITS); do \
		sed 's|/usr/local|$(PREFIX)|g' scripts/systemd/$$unit >$(UNITDIR)/$$unit; \
		chmod 0644 $(UNITDIR)/$$unit; \
	done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/uzram $(DESTDIR)$(PREFIX)/share/man/man1/uzram.1
	rm -f $(SCRIPTS:%=$(LIBEXEC)/%) $(LIBEXEC)/zram-lib.sh $(UNITS:%=$(UNITDIR)/%)
	rmdir $(LIBEXEC) 2>/dev/null || true

clean: ## remove bin/
	rm -rf bin

run: build ## the demo: a compressed disk with a real tree on it (SIZE= ALGO= DIR= SRC=)
	@scripts/deps.sh run
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -o bin/demo ./scripts/demo
	@bin/demo -uzram bin/uzram -size '$(SIZE)' -algorithm '$(ALGO)' -dir '$(DIR)' -src '$(SRC)'

stop: build ## take the demo down again
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -o bin/demo ./scripts/demo
	@bin/demo -uzram bin/uzram -dir '$(DIR)' -stop

test: ## every check, as continuous integration runs it
	@scripts/deps.sh test
	+@scripts/stages.sh $(STAGES)

deps: ## install what the tests need
	@scripts/deps.sh test

check-fmt: ## gofmt
	@out=$$("$$($(GO) env GOROOT)/bin/gofmt" -l .) && [ -z "$$out" ] || { echo "not gofmt-formatted: $$out"; exit 1; }

vet: ## go vet, all builds
	$(GO) vet ./...
	$(GO) vet -tags invariants ./...
	$(GO) vet -tags nextformat ./fusefs ./internal/offheap

staticcheck: ## staticcheck, both builds
	$(TOOL) staticcheck ./...
	$(TOOL) staticcheck -tags invariants ./...

shellcheck: ## our shell scripts
	shellcheck .ci/run scripts/*.sh

lint: check-fmt vet staticcheck shellcheck ## all static checks, and the tests of the tree
	$(GO) test -count=1 ./internal/lint

sums: ## test/oracle and test/corpus are what they should be
	@scripts/sums.sh

unit: ## unit tests, plain build
	$(GO) test $(UNIT)

race: ## unit tests under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 15m $(UNIT)

invariants: corpus-test ## unit tests with the invariant checks built in
	$(GO) test -tags invariants $(UNIT)

codecs: ## the store's tests over codecs that wait for another goroutine, and that are slow
	$(GO) test -count=1 ./store -args -store.codec=waiting
	$(GO) test -count=1 ./store -args -store.codec=slow

onecpu: ## unit tests on one CPU (not cached: the cache does not know GOMAXPROCS)
	GOMAXPROCS=1 $(GO) test -count=1 $(UNIT)

clib: ## streams exchanged with C's codecs, both ways; the product has no cgo
	CGO_ENABLED=1 $(GO) vet -tags clib $(BESIDE_C)
	CGO_ENABLED=1 $(TOOL) staticcheck -tags clib $(BESIDE_C)
	CGO_ENABLED=1 $(GO) test -tags clib $(BESIDE_C)

cover: ## alloc and store are covered by statements, but for what docs/coverage.md gives reasons for
	@mkdir -p bin
	$(GO) test -coverpkg=./alloc,./store -coverprofile=bin/cover-default.out ./alloc ./store >/dev/null
	$(GO) test -tags invariants -coverpkg=./alloc,./store -coverprofile=bin/cover-invariants.out ./alloc ./store >/dev/null
	$(GO) run ./test/coverage bin/cover-default.out bin/cover-invariants.out

corpus-test: ## the corpus generator's own tests
	cd test/corpus/mkcorpus && $(GO) test ./...

# One that is a format of the memory ahead, to upgrade to.
bin/uzram-next: build
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -tags nextformat -ldflags '$(LDFLAGS)' -o $@ ./cmd/uzram

e2e: build bin/uzram-next ## end-to-end suite against bin/uzram
	$(GO) test -count=1 -v -timeout 15m ./test/e2e

clients: build ## zramctl, zramswap, zram-generator, htop and others on uzram devices; ARGS=-rewrite writes docs/clients.md
	@scripts/deps.sh clients
	$(GO) test -count=1 -v -timeout 15m ./test/clients -args $(ARGS)

crash: ## kill workers at every step and at random, TIME in all (default 30s); ARGS= for the tests, -crash.figures writes docs/crash.md
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -tags failpoints -ldflags '$(LDFLAGS)' -o bin/uzram-crash ./cmd/uzram
	UZRAM_BIN=$(CURDIR)/bin/uzram-crash $(GO) test -count=1 -v -timeout 0 ./test/crash -args -crash.time=$(TIME) $(ARGS)

upgrade: build bin/uzram-next ## to a program that is a format ahead and back, 200 times in each manner under load
	$(GO) test -count=1 -v -timeout 15m ./test/e2e -run 'TestUpgrade' -args -e2e.upgrades=200

oracle: build ## replay the kernel's recorded answers on a mount
	@scripts/oracle.sh

test-swap: build ## the long swap story: 20 rounds of a 1.5 GiB hog in 512 MiB, about 20 minutes
	@scripts/deps.sh test
	UZRAM_SWAP_HOG=1536 UZRAM_SWAP_LIMIT=512 UZRAM_SWAP_ROUNDS=20 $(GO) test -count=1 -v -timeout 60m ./test/e2e -run 'TestSwap$$'

SOAK ?= default invariants race

soak: ## everything at once for TIME in each build of SOAK= (default invariants race)
	@set -e; for build in $(SOAK); do \
		case $$build in \
		default) flags= cgo=0 ;; \
		invariants) flags='-tags invariants' cgo=0 ;; \
		race) flags=-race cgo=1 ;; \
		*) echo "SOAK=$$build: default, invariants or race"; exit 2 ;; \
		esac; \
		echo "soak: $$build, $(TIME)"; \
		CGO_ENABLED=$$cgo $(GO) test $$flags -count=1 -v -timeout 0 ./test/soak -run 'TestSoak$$' -args -soak.time=$(TIME); \
	done

linear: ## a million operations on hot pages are linearizable, for each kind of codec
	$(GO) test ./store -run TestPagesAreLinearizable -count=1 -v -timeout 0 -args -store.linear-ops=1000000

fuzz: ## each fuzz target for TIME (default 30s)
	@scripts/fuzz.sh $(TIME)

model: ## check the models of test/model with SPIN
	@scripts/deps.sh model
	@scripts/model.sh

bench-engine: ## the engine beside the kernel's zram, in one run; ARGS= for the program
	@scripts/deps.sh bench
	$(GO) build -buildvcs=false -o bin/bench-engine ./test/bench/engine
	bin/bench-engine $(ARGS)

bench-codecs: ## our codecs beside C's and Go libraries; ARGS=-levels=zstd, -page=16384 and others for the program
	@scripts/deps.sh codecs
	CGO_ENABLED=1 $(GO) build -tags clib -buildvcs=false -o bin/bench-codecs ./test/bench/codecs
	bin/bench-codecs $(ARGS)

bench-devices: build ## a thousand devices of one mount, and thousands of hot_add and hot_remove; ARGS= for the program
	$(GO) build -buildvcs=false -o bin/bench-devices ./test/bench/devices
	bin/bench-devices $(ARGS)

bench-lock: ## the slot lock under contention, beside sync.RWMutex and a spinning lock; ARGS= for the program
	$(GO) build -buildvcs=false -o bin/bench-lock ./test/bench/lock
	bin/bench-lock $(ARGS)

bench-memory: ## where the memory goes, beside the kernel's zram; ARGS=-classes for the study of class tables
	@scripts/deps.sh bench
	$(GO) build -buildvcs=false -o bin/bench-memory ./test/bench/memory
	bin/bench-memory $(ARGS)

bench-compaction: build ## what compaction costs the I/O beside it; ARGS= for the program
	$(GO) build -buildvcs=false -o bin/bench-compaction ./test/bench/compaction
	bin/bench-compaction $(ARGS)

bench-gc: build ## what garbage collection costs reads, forced often against off; ARGS='-time 10m' for the program
	$(GO) build -buildvcs=false -o bin/bench-gc ./test/bench/gc
	bin/bench-gc $(ARGS)

bench-snapshot: build ## saving and restoring a full disk beside a file's own speed; ARGS= for the program
	$(GO) build -buildvcs=false -o bin/bench-snapshot ./test/bench/snapshot
	bin/bench-snapshot $(ARGS)

bench-post: ## writeback beside the raw file, recompression beside its codecs; ARGS= for the program
	$(GO) build -buildvcs=false -o bin/bench-post ./test/bench/post
	bin/bench-post $(ARGS)

bench-mount: build ## the mounted disk beside the kernel's zram, tmpfs and nbdkit; ARGS= for the program
	@scripts/deps.sh bench
	$(GO) build -buildvcs=false -o bin/bench-mount ./test/bench/mount
	bin/bench-mount $(ARGS)

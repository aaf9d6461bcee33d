# make run    build what changed, serve on http://localhost:8080
# make dev    the same with hot reload of the web client and restart of the server on change
# make check  format, lints, types, licences
# make test   everything: Rust on both databases, web, real browsers; installs what is missing when root
# make loadtests  measure Troupe beside other collaboration servers (RUN="fan-out --seconds 5" for one scenario)
# make fuzz   ten million mutated inputs (INPUTS=…) to what reads bytes from outside; `make test` has the short form
# make archive  leave a data folder of this release behind in tests/archives: once for each release

SHELL := /bin/bash
.DELETE_ON_ERROR:

CARGO_TARGET_DIR ?= $(HOME)/.cache/troupe/target
export CARGO_TARGET_DIR

NPM_CI := npm ci --no-audit --no-fund --loglevel=error
WEB_SOURCES := $(shell find web/src web/public web/index.html web/*.ts web/*.json -type f 2>/dev/null)

.PHONY: run dev check test fuzz archive loadtests web
run: web
	cargo run -- serve

dev: web
	scripts/dev

check: web tests/e2e/node_modules/.installed
	cargo fmt --all --check
	rustfmt --check --edition 2024 engine/src/nodes/*.rs # named by a macro, which cargo fmt does not follow
	cargo clippy --workspace --all-targets -- -D warnings
	npm --prefix web run check
	npm --prefix tests/e2e run check
	@if command -v cargo-deny >/dev/null; then cargo deny check; else echo "cargo-deny is not installed: licences and advisories not checked"; fi

test:
	scripts/test

fuzz:
	scripts/fuzz $(or $(INPUTS),10000000)

archive:
	scripts/with-databases cargo nextest run --workspace --run-ignored only -E 'test(archive::make)'

Y_SWEET := $(CARGO_TARGET_DIR)/y-sweet/bin/y-sweet

loadtests: web loadtests/peers/node_modules/.installed $(Y_SWEET)
	cargo build --release --workspace --bins
	$(CARGO_TARGET_DIR)/release/troupe-loadtests $(or $(RUN),all)

$(Y_SWEET):
	cargo install --locked --version 0.9.1 --root $(CARGO_TARGET_DIR)/y-sweet y-sweet

# The server embeds web/dist, so it is built first.
web: web/dist/index.html

web/dist/index.html: web/node_modules/.installed $(WEB_SOURCES)
	npm --prefix web run build

# Installed again only when the lock changed.
%/node_modules/.installed: %/package-lock.json
	cd $* && $(NPM_CI)
	touch $@

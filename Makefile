# `make demo` and `make test` are all one needs: what they need is installed first, once.
#
#   make setup TORCH=cuda    PyTorch for NVIDIA cards instead of the small CPU build
#   make setup PYTHON=...    another Python (3.11 or newer) than the first one found
#   make setup EXTRAS=...    other extras than dev, for example EXTRAS=dev,virtual-camera

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all lint bench clean

TORCH ?= cpu
EXTRAS ?= dev
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.mien-$(TORCH)-$(subst $(,),-,$(EXTRAS))
, := ,

TORCH_RANGE := torch>=2.9,<2.14
TORCH_CPU_INDEX := https://download.pytorch.org/whl/cpu

# Drawing without a screen; windows on a virtual screen (tests); sound.
DEBIAN_PACKAGES := libglib2.0-0 libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3 \
	xvfb xauth libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 \
	libportaudio2

help:
	@echo "make setup     install everything into $(VENV) (the other targets do it by themselves)"
	@echo "make demo      the window on the bundled clip (rendered to out/demo without a display)"
	@echo "make test      the tests, a few minutes"
	@echo "make test-all  the slow ones, too"
	@echo "make lint      style, types, import rules"
	@echo "make bench     speed and memory on this machine"
	@echo "make clean     remove $(VENV) and all caches"

setup: $(STAMP)

$(STAMP): pyproject.toml Makefile
	@$(MAKE) --no-print-directory system-packages
	@$(MAKE) --no-print-directory $(BIN)/python
	$(BIN)/python -m pip install --quiet --upgrade pip
	@$(MAKE) --no-print-directory torch-$(TORCH)
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --editable ".[$(EXTRAS)]"
	@rm -f $(VENV)/.mien-*
	@touch $@
	@echo "Mien is installed. Try: make demo"

# The first Python that is new enough. A name on the path may be a shim that does not run, so each is tried.
$(BIN)/python:
	@for candidate in $(PYTHON) python3 python3.13 python3.12 python3.11 python3.14; do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			"$$candidate" -m venv $(VENV) && exit 0; \
			echo "$$candidate cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 1; \
		fi; \
	done; \
	echo "Mien needs Python 3.11 or newer: install it, or name it with PYTHON=..." >&2; exit 1

# Only those that are missing, and only where apt-get may be used without a password. In Ubuntu 24.04 and Debian 13 some
# names end in t64.
.PHONY: system-packages
system-packages:
	@command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || exit 0; \
	installed() { dpkg-query -W -f='$${Status}\n' "$$1" 2>/dev/null | grep -q '^install ok installed'; }; \
	missing=""; \
	for package in $(DEBIAN_PACKAGES); do \
		installed "$$package" || installed "$${package}t64" || missing="$$missing $$package"; \
	done; \
	[ -n "$$missing" ] || exit 0; \
	if [ "$$(id -u)" = 0 ]; then run=""; \
	elif sudo -n true 2>/dev/null; then run="sudo -n"; \
	else echo "Some Debian packages are missing; ask an administrator for: apt-get install$$missing" >&2; exit 0; fi; \
	echo "Installing Debian packages:$$missing"; \
	$$run apt-get update -qq && \
	$$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null || \
	echo "Some Debian packages could not be installed; continuing without them." >&2

# First what lies at hand (installed already, or in a folder that pip is told to look into). Then, on Linux, PyTorch's own
# index of CPU builds, because the default index has builds with gigabytes of CUDA. Where that index cannot be reached, the
# default one after all. Only the one package comes from here, hence --no-deps; what it needs follows with the rest.
.PHONY: torch-cpu torch-cuda
torch-cpu:
	@$(BIN)/python -m pip install --quiet --no-deps --no-index "$(TORCH_RANGE)" 2>/dev/null && exit 0; \
	if [ "$$(uname -s)" = Linux ]; then \
		$(BIN)/python -m pip install --quiet --no-deps --retries 1 --timeout 20 --index-url $(TORCH_CPU_INDEX) \
			"$(TORCH_RANGE)" 2>/dev/null && exit 0; \
		echo "$(TORCH_CPU_INDEX) does not answer: taking PyTorch from the default index." >&2; \
	fi; \
	$(BIN)/python -m pip install --quiet --no-deps "$(TORCH_RANGE)"

torch-cuda:
	@case "$$($(BIN)/python -m pip show torch 2>/dev/null | sed -n 's/^Version: //p')" in \
		*+cpu) $(BIN)/python -m pip uninstall --quiet --yes torch;; esac
	$(BIN)/python -m pip install --quiet "$(TORCH_RANGE)"

demo: $(STAMP)
	$(BIN)/python main.py demo

# Several files of tests at a time, one process each; more than four gain little and take much memory. They fill the
# processors by themselves: threads of BLAS and OpenMP would only wait for one another. Afterwards those that measure
# time, one by one.
SIDE_BY_SIDE := -n logical --maxprocesses 4 --dist loadfile
ONE_THREAD := OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
# Live tracking and streams run against the clock, so on a busy machine a test may fail because of its neighbours. What
# failed beside others is tried once more with the machine to itself; what fails there, too, is a failure. A process that
# crashed leaves nothing to try (exit status 5): its test has been done again by then. Anything but failed tests (exit
# status 1), such as an interrupt or a file that cannot be imported, ends it at once.
AGAIN = { [ $$? = 1 ] && echo "What failed beside others runs again, alone:" && \
	{ $(BIN)/python -m pytest -q --last-failed --last-failed-no-failures none -m "$(1)"; \
	status=$$?; [ $$status = 0 ] || [ $$status = 5 ]; }; }
BESIDE = $(ONE_THREAD) $(BIN)/python -m pytest -q $(SIDE_BY_SIDE) -m "$(1)" || $(AGAIN)

test: $(STAMP)
	$(call BESIDE,not slow and not alone)
	$(BIN)/python -m pytest -q -m "alone and not slow"

test-all: $(STAMP)
	$(call BESIDE,not alone)
	$(BIN)/python -m pytest -q -m alone

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python main.py benchmark --json out/benchmark.json
	$(BIN)/python main.py benchmark --paced 30 --render --json out/benchmark_paced.json

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .benchmarks
	find app models recordings rendering tests tracking -name __pycache__ -prune -exec rm -rf {} +

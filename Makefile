# A fresh machine needs Python 3.11 or newer, make and git. Everything else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
OUT ?= out

.PHONY: figures test claims claims-full docs lint bench gallery findings keys notebooks site clean

figures: .venv/installed
	$(BIN)/toymodels figure --group quick --out $(OUT)

test: .venv/dev
	$(BIN)/python -m pytest -q -n 2 -m "not claims and not docs"

claims: .venv/dev
	$(BIN)/python -m pytest -q -n 2 -m "claims and not claims_full"

# How it went is kept for GALLERY.md: commit first, so that the commit that it names is what ran.
claims-full: .venv/dev
	$(BIN)/python -m pytest -q -n 2 -m claims_full --record docs/gallery/claims-full.json
	$(BIN)/python -m figures.command.gallery --text

docs: .venv/dev
	$(BIN)/python -m pytest -q -m docs

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

# GALLERY.md, its pictures, the README's tables and pictures: from out/, or made now (half an hour).
gallery: .venv/dev
	$(BIN)/python -m figures.command.gallery --out $(OUT)

# FINDINGS.md and the datasets that it is made from: from out/, or made now.
findings: .venv/dev
	$(BIN)/python -m figures.command.findings --out $(OUT)

# Notebooks are committed with their outputs: run all again and store what they print and draw.
notebooks: .venv/dev
	$(BIN)/python -m figures.command.notebooks

# The site, in build/site; notebooks are shown as they are stored.
site: .venv/site
	$(BIN)/sphinx-build -q -W --keep-going -c docs -d build/doctrees . build/site
	@echo "the site is build/site/index.html"

# docs/keys.md, from the docstrings of what a config names.
keys: .venv/dev
	$(BIN)/python -m figures.command.keys

bench: .venv/dev
	$(BIN)/python -m benchmarks.training

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, $$($(PYTHON) --version) was found: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "this Python cannot make environments; on Debian or Ubuntu: apt install python3-venv"; exit 1; }
	@echo "making .venv and installing into it (about 700 MB, one to three minutes) …"
	@$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

.venv/site: .venv/installed
	@echo "installing what the site needs …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[site]'
	@touch $@

.venv/dev: .venv/installed
	@echo "installing what the tests need …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info out

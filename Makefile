# defai: `make demo` runs it, `make test` tests it. `make help` lists the rest.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NPM = $(shell command -v npm || echo $(BIN)/npm)

.DEFAULT_GOAL := help
.PHONY: help demo test test-long check bench fixtures screenshots contracts lock fmt clean

help: ## list what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/run.done contracts/node_modules/.run.done ## set everything up and open the terminal on a living market
	@$(BIN)/defai demo $(ARGS)

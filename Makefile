# Each target sets up what it needs from nothing and is quick the second time; setup/ says how.
# make test TESTS='tests/test_secret.py -k repr'   passes its value on to pytest
# make test OTHERS=none                            tests the first CPython only (default: every one from 3.11 on)
# make test STORES=all                             runs everything with every CPython (default: with the first)
# make test PYTHON=/usr/bin/python3.12             makes that one the first
# make test-nightly                                the first CPython with the counts of a night, and the others' commands
# make mutants ROOM=trust COUNT=50 SEED=2          faults that its tests would not notice: core, stores, trust, flox, tools …
# make bench PEER=program RUNS=15                  measures a program of the same interface beside envref
# make bench FNOX=program                          times this fnox beside envref on the same servers
# make bench PYTHONS=ends                          measures with the oldest Python and with the newest
# make counts                                      checks in what hot commands cost now, in instructions

TESTS =
OTHERS = all
STORES = first
PEER =
FNOX =
ROOM = all
COUNT = 20
SEED = 1
RUNS = 15
PYTHONS =

.PHONY: help demo test test-nightly lint bench counts mutants pins reference clean
.NOTPARALLEL:

help:
	@echo "make demo | test | test-nightly | lint | bench | counts | mutants | pins | reference | clean"
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

counts demo lint pins reference:
	@sh setup/start.sh $@

test:
	@OTHERS=$(OTHERS) STORES=$(STORES) sh setup/start.sh test $(TESTS)

test-nightly:
	@sh setup/start.sh nightly $(TESTS)

bench:
	@PYTHONS=$(PYTHONS) sh setup/start.sh bench --runs $(RUNS) $(if $(PEER),--peer $(PEER)) $(if $(FNOX),--peer-fnox $(FNOX))

mutants:
	@sh setup/start.sh mutants --room $(ROOM) --count $(COUNT) --seed $(SEED)

clean:
	rm -rf .venvs .mypy_cache .ruff_cache .pytest_cache .hypothesis

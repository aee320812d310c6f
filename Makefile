# SPDX-License-Identifier: GPL-3.0-or-later
# What people type here. `make` alone lists the targets.
SHELL := bash
.DEFAULT_GOAL := help
export ANSIBLE_HOME := $(CURDIR)/.ansible
export PATH := $(CURDIR)/.venv/bin:$(PATH)
READY := .venv/.ready

.PHONY: help demo test test-changes test-lint test-sanity test-types test-unit test-kernel test-random test-hitless test-molecule test-full test-proof test-failover test-paths test-firewalls test-tunnels test-pyroute2 test-rhel test-managers test-scale test-speed test-matrix bench clean

help: ## List these targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

demo: ## Build the example cluster on real kernels and show that it works
	@tests/demo/run

test: ## Set everything up and run every test (CI runs this)
	@tests/all

$(READY): tests/requirements.txt tests/setup
	@tests/setup

setup: $(READY) ## Install the development tools into .venv

test-lint: $(READY) ## ansible-lint (production), ruff, yamllint, changelog
	tests/lint

test-sanity: $(READY) ## ansible-test sanity, with no ignore files
	tests/sanity

test-types: $(READY) ## Check the types
	cd .ansible/collections && mypy --config-file ../../pyproject.toml -p ansible_collections.openlvs.lvs.plugins

test-unit: $(READY) ## The pure parts: table, plan, description, checks
	pytest tests/unit tests/matrix

test-kernel: $(READY) ## The modules against a real ip_vs, in a guest that boots in seconds
	tests/kernel/run

test-random: $(READY) ## Random runs of the IPVS modules against a model: make test-random STEPS=10000
	STEPS=$(or $(STEPS),10000) tests/kernel/run tests/kernel/test_ipvs_random.py -s

test-hitless: $(READY) ## Requests while the table changes, and runs killed at every step: the figures and the log
	tests/kernel/run tests/kernel/test_ipvs_hitless.py tests/kernel/test_ipvs_killed.py -s

test-molecule: $(READY) ## The playbooks on the lab: check, converge, idempotence, verify, reboot, teardown
	tests/molecule

test-full: $(READY) test-paths ## The same with every cluster that the scenario has, each with another mode; test-paths, and test-managers
	tests/molecule --all
	pytest tests/managers

test-proof: $(READY) ## Break each thing that verify.yml claims, and see it fail by name
	pytest tests/proof

test-changes: $(READY) ## A running cluster changes its way of forwarding under load: what each change loses
	pytest -s tests/changing

test-firewalls: $(READY) ## Hosts with a firewall of somebody else: named, opened, rebooted, closed: FIREWALLS='ufw or firewalld'
	@tests/lab/install-tools
	pytest tests/firewalls -k '$(or $(FIREWALLS),test)'

test-paths: $(READY) ## Which way packets go in each way of forwarding: built, rebooted, changed, taken away
	pytest -s tests/paths

test-tunnels: $(READY) ## Tunnels packet by packet: a client without ICMP, strangers, a real server beyond the router
	pytest -s tests/tunnels

test-failover: $(READY) ## Keepalived stopped, killed, without power; servers dead; engines changed: what clients notice, as a table
	pytest tests/failover -s

test-rhel: $(READY) ## The example cluster on hosts in RHEL's shape, with its paths, its unit and a real dnf
	@tests/lab/install-tools
	pytest tests/rhel

test-managers: $(READY) ## VIPs on interfaces of network managers, and all that these do: MANAGERS='networkd or ifupdown'
	@tests/lab/install-tools
	pytest tests/managers -k '$(or $(MANAGERS),test)'

test-scale: $(READY) ## 200 services with 50 real servers each on one director
	python tests/scale/scale.py

test-matrix: $(READY) ## Every guest, kernel and ansible-core that fit together: CELLS='bullseye:*', CELLS=--list
	@python tests/matrix/matrix.py $(foreach cell,$(CELLS),'$(cell)')

test-pyroute2: $(READY) ## The modules with each version of pyroute2, on each Python that modules can meet
	@python tests/matrix/matrix.py 'pyroute2:*'

test-speed: $(READY) ## site.yml twice on fresh hosts: tasks and seconds by role, and what share of the first the second takes
	@python tests/speed/speed.py

bench: $(READY) ## The modules against ipvsadm at 50,000 real servers: ratios, memory, the controller's share
	@python tests/bench/bench.py

clean: ## Remove what the development tools made here (the lab's cache stays)
	rm -rf .venv .ansible .mypy_cache .pytest_cache .ruff_cache .hypothesis

include tests/lab/lab.mk

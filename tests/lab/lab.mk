# SPDX-License-Identifier: GPL-3.0-or-later
# The lab's commands, included by the Makefile at the top.
LAB := tests/lab/lab

# Short names, for any target: make demo SUITE=trixie KERNEL=6.12 DRIVER=uml
$(foreach name,SUITE KERNEL DRIVER,$(if $($(name)),$(eval export OPENLVS_LAB_$(name) := $($(name)))))

.PHONY: lab lab-down lab-shell lab-status lab-kernel lab-image test-lab test-containers test-nested

lab: ## Start the lab's hosts, or repair what is broken
	@tests/lab/install-tools
	@$(LAB) up

lab-down: ## Remove the lab's hosts (its image and kernels stay cached)
	@$(LAB) down

lab-shell: ## Open a shell on a host: make lab-shell HOST=lvs1
	@$(LAB) shell $(or $(HOST),$(error Say which host: make lab-shell HOST=lvs1))

lab-status: ## Show the lab's hosts
	@$(LAB) status

lab-kernel: ## Build the lab's own kernel, unless it is there (3 minutes); others: KERNEL=6.1 or 6.12
	@tests/lab/install-tools --kernel
	@tests/lab/build-kernel $(KERNEL)

lab-image: ## Build the disk that hosts start from, unless it is there (1 minute)
	@tests/lab/install-tools
	@$(LAB) image

test-lab: $(READY) ## The lab itself: what it refuses, what it repairs
	@tests/lab/install-tools
	pytest tests/lab

test-containers: $(READY) ## Hosts that are containers (installs podman): the hosts, then a cluster's whole life on them
	@tests/lab/install-tools --containers
	tests/containers

test-nested: $(READY) ## Directors in containers on any machine: podman and a lab of its own inside one large guest
	@tests/lab/install-tools
	tests/nested

"""A real Kubernetes cluster on one Linux machine, without hypervisor, service manager or image registry.

Each node is a network, mount, UTS and PID namespace with a kubelet and a containerd of its own.
kubeadm makes the PKI, as on any real node. ``python -m tests.cluster.lab`` raises one to play with.
"""

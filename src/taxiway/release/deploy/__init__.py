"""What it takes to run an endpoint somewhere else: an image, Kubernetes manifests, a compose file.

Each module makes the text of its files from one `Place`, which derives from the release, its
charter and what its rehearsal measured; the same place gives the same bytes. Nothing is written or
read here.
"""

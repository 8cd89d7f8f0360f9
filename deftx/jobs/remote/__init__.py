"""Remote jobs on Hugging Face Jobs. They have the same row and folder as local jobs, and a worker that monitors them.

On this machine, ``watcher`` uploads the job's ``package`` to a bucket, starts a Hugging Face job and downloads its
``delivery``. On the remote machine, ``inside`` runs the usual worker. The ``note`` stores the state for restarts.
"""

"""Hugging Face Jobs as a second place to run: a job is the same row and folder, and its worker watches a machine elsewhere.

On this machine ``watcher`` sends the job's ``package`` to a bucket, starts a Hugging Face job and brings its ``delivery``
back; on that machine ``inside`` runs the ordinary worker. What must survive a restart here stands in the ``note``.
"""

"""Many pictures: what becomes which, in bounded memory, on one or several devices, resumable."""

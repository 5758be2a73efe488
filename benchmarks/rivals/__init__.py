"""What benchmarks are held against: programs of `.bench/`, which never become dependencies."""

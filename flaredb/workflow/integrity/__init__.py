"""Nothing lost, nothing left over: copies, checks, repairs, and erasing for good."""

"""What labels say: structures, mappings, label sets, the policy that picks current labels, and their combination."""

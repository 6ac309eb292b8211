"""What each command does. The only place where real objects are built."""

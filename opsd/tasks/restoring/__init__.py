"""What a restore for people does with each kind of member."""

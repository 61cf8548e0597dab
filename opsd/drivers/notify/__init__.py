"""The ways to tell a person something: mail, a POST, a program. Each raises `ChannelFailed`."""

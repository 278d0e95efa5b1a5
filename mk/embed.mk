# embed.mk - files that are carried inside objects.
$(BUILD)/sinks/runtime_bootstrap.o: sinks/bootstrap/python.py sinks/bootstrap/node.js

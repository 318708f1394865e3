"""The diagrams that Kaitong ships: one folder per process, with its forms. Read with `bpmn.catalog`."""

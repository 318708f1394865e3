"""The interfaces for machines: TMF641 orders, our own API, and the three addresses that watchdogs ask."""

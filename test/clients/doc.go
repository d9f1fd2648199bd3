// Package clients runs the real, unmodified programs for zram from Debian packages on uzram devices, each in a view that
// `uzram sysfs` makes, and writes down what they print: docs/clients.md. It drives the built binary, as test/e2e does.
//
// zram-tools and systemd-zram-generator are unpacked, not installed: installing them sets up swap space on the machine that
// the tests run on.
package clients

// Package size reads the sizes of the command line. They are stricter than those of the control files, which ignore
// whatever follows the suffix: a typing error in a command should be refused.
package size

// Package program is what the main functions of the benchmark programs have in
// common.
package program

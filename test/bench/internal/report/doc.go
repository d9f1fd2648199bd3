// Package report turns measured figures into what the benchmarks print: tables
// for people, and lines of a fixed form for other tools.
//
//	ratio NAME VALUE    ours / theirs as speed (or as thrift); higher is better
//	figure NAME VALUE UNIT    ours alone, where there is nothing to compare with
//	missing NAME REASON    a peer that could not be measured
//
// NAME is made of a-z, 0-9 and _. VALUE is a decimal number.
package report

// Package sql writes a report as a query in the dialect of an engine, and the statements that make an engine's tables of flow
// logs. It runs nothing.
//
//	Report → nodes → print → text
//	Report → Split → a query for the engine, and what is left to compute here
//
// A query is a tree of nodes with one printer, which alone knows what binds tighter. What a dialect cannot express, or only
// flowlog knows, is an error that names it.
package sql

#include "textflag.h"
#include "rows_amd64.h"

// The functions here look at a run of neighbouring tokens of each row: SI data, R8 the separators from the one before
// the run on, R13 bytes from that to the one behind it, R9 bytes to those of the next row, CX rows left, R10 rows. What
// they look at is the last of 16 or 32 bytes, so a run must not end before those. They stop at the first row that
// they cannot tell to be valid.

DATA blanks<>+0(SB)/8, $0x2020202020202020
DATA blanks<>+8(SB)/8, $0x2020202020202020
GLOBL blanks<>(SB), RODATA, $16

DATA dots<>+0(SB)/8, $0x2e2e2e2e2e2e2e2e
DATA dots<>+8(SB)/8, $0x2e2e2e2e2e2e2e2e
GLOBL dots<>(SB), RODATA, $16

// most: the digits of 255, the first one highest.
DATA most<>+0(SB)/8, $0x0002050500020505
DATA most<>+8(SB)/8, $0x0002050500020505
GLOBL most<>(SB), RODATA, $16

// func shortNumbersAVX2(data *byte, seps *int32, stride, rows, columns int, shapes *numberShapes) (n int)
TEXT ·shortNumbersAVX2(SB), NOSPLIT, $0-56
	MOVQ columns+32(FP), R13
	SHLQ $2, R13
	MOVQ shapes+40(FP), R12
	VMOVDQU blanks<>(SB), X10
	LEAQ 65536(R12), R11
	VMOVDQU (R11), Y11 // the largest of each column
	ADDQ $32, R11
	START

loop:
	MOVLQSX (R8), BX
	MOVLQSX (R8)(R13*1), AX
	CMPQ AX, $16
	JLT done
	SUBQ AX, BX
	ADDQ $16, BX // bytes before the separator in front of the run
	JS done
	VBROADCASTI128 -16(SI)(AX*1), Y1
	VPMINUB X10, X1, X2
	VPCMPEQB X1, X2, X2
	VPMOVMSKB X2, AX
	SHRXQ BX, AX, AX
	SHLXQ BX, AX, AX
	MOVBLZX (R12)(AX*1), AX
	SHLL $5, AX
	JZ done
	VPSUBB Y8, Y1, Y1
	VPSHUFB (R11)(AX*1), Y1, Y1
	VPSUBUSB Y9, Y1, Y2
	VPCMPGTQ Y11, Y1, Y3
	VPOR Y3, Y2, Y2
	VPTEST Y2, Y2
	JNZ done
	ADDQ R9, R8
	DECQ CX
	JNZ loop

done:
	SUBQ CX, R10
	MOVQ R10, n+48(FP)
	VZEROUPPER
	RET

// func longNumbersAVX2(data *byte, seps *int32, stride, rows, columns int, most *[4]int32) (n int)
TEXT ·longNumbersAVX2(SB), NOSPLIT, $0-56
	MOVQ columns+32(FP), R13
	MOVQ $33, R14
	SUBQ R13, R14 // bytes that are no separators
	SHLQ $2, R13
	MOVQ most+40(FP), R12
	VMOVDQU (R12), X11
	START

loop:
	MOVLQSX (R8), BX
	MOVLQSX (R8)(R13*1), AX
	CMPQ AX, $32
	JLT done
	SUBQ AX, BX
	ADDQ $33, BX // bytes before the run
	JS done
	VMOVDQU -32(SI)(AX*1), Y1
	VPSUBB Y8, Y1, Y1
	VPMINUB Y9, Y1, Y2
	VPCMPEQB Y1, Y2, Y2
	VPMOVMSKB Y2, AX
	SHRXL BX, AX, AX
	POPCNTL AX, AX
	ADDL BX, AX
	CMPL AX, R14
	JNE done
	VMOVDQU 4(R8), X3
	VPSUBD (R8), X3, X3
	VPCMPGTD X11, X3, X3
	VPTEST X3, X3
	JNZ done
	ADDQ R9, R8
	DECQ CX
	JNZ loop

done:
	SUBQ CX, R10
	MOVQ R10, n+48(FP)
	VZEROUPPER
	RET

DATA colons<>+0(SB)/8, $0x0a0a0a0a0a0a0a0a // less '0'
DATA colons<>+8(SB)/8, $0x0a0a0a0a0a0a0a0a
DATA colons<>+16(SB)/8, $0x0a0a0a0a0a0a0a0a
DATA colons<>+24(SB)/8, $0x0a0a0a0a0a0a0a0a
GLOBL colons<>(SB), RODATA, $32

// lower: what makes letters small.
DATA lower<>+0(SB)/8, $0x2020202020202020
DATA lower<>+8(SB)/8, $0x2020202020202020
DATA lower<>+16(SB)/8, $0x2020202020202020
DATA lower<>+24(SB)/8, $0x2020202020202020
GLOBL lower<>(SB), RODATA, $32

DATA letters<>+0(SB)/8, $0x6161616161616161
DATA letters<>+8(SB)/8, $0x6161616161616161
DATA letters<>+16(SB)/8, $0x6161616161616161
DATA letters<>+24(SB)/8, $0x6161616161616161
GLOBL letters<>(SB), RODATA, $32

DATA fives<>+0(SB)/8, $0x0505050505050505
DATA fives<>+8(SB)/8, $0x0505050505050505
DATA fives<>+16(SB)/8, $0x0505050505050505
DATA fives<>+24(SB)/8, $0x0505050505050505
GLOBL fives<>(SB), RODATA, $32

// HEX has a bit in colons and in digits for each of the 32 bytes at offset, set where it is a colon, or a hexadecimal
// digit.
#define HEX(offset, colons, digits) \
	VMOVDQU offset(SI)(AX*1), Y1 \
	VPOR Y13, Y1, Y2 \
	VPSUBB Y14, Y2, Y2 \
	VPMINUB Y15, Y2, Y3 \
	VPCMPEQB Y2, Y3, Y3 \
	VPSUBB Y8, Y1, Y1 \
	VPMINUB Y9, Y1, Y2 \
	VPCMPEQB Y1, Y2, Y2 \
	VPOR Y2, Y3, Y3 \
	VPCMPEQB Y12, Y1, Y1 \
	VPMOVMSKB Y1, colons \
	VPMOVMSKB Y3, digits

// func validAddrsAVX2(data *byte, seps *int32, stride, rows int, shapes *addrShapes) (n int)
TEXT ·validAddrsAVX2(SB), NOSPLIT, $0-48
	MOVQ shapes+32(FP), R12
	LEAQ 65536(R12), R11
	VMOVDQU dots<>(SB), X10
	VMOVDQU most<>(SB), X11
	VMOVDQU colons<>(SB), Y12
	VMOVDQU lower<>(SB), Y13
	VMOVDQU letters<>(SB), Y14
	VMOVDQU fives<>(SB), Y15
	START

loop:
	MOVLQSX (R8), BX
	MOVLQSX 4(R8), AX
	CMPQ AX, $16
	JLT done
	SUBQ AX, BX
	ADDQ $16, BX
	JS six
	VMOVDQU -16(SI)(AX*1), X1
	VPCMPEQB X10, X1, X2
	VPMOVMSKB X2, DX
	BTSL BX, DX // the separator in front
	SHRXQ BX, DX, DX
	SHLXQ BX, DX, DX
	MOVBLZX (R12)(DX*1), DX
	SHLL $5, DX
	JZ six
	VPSUBB X8, X1, X1
	VPSHUFB (R11)(DX*1), X1, X1
	VPSUBUSB X9, X1, X2
	VPCMPGTD X11, X1, X3
	VMOVDQU 16(R11)(DX*1), X4
	VPCMPGTD X1, X4, X4
	VPOR X3, X2, X2
	VPOR X4, X2, X2
	VPTEST X2, X2
	JNZ done

next:
	ADDQ R9, R8
	DECQ CX
	JNZ loop

done:
	SUBQ CX, R10
	MOVQ R10, n+40(FP)
	VZEROUPPER
	RET

	// Groups of one to four hexadecimal digits: eight of them, or fewer around two colons in a row.
six:
	ADDQ $49, BX // bytes before the address, of 64
	CMPQ BX, $24
	JLT done
	CMPQ AX, $64
	JLT done
	HEX(-64, DX, DI)
	HEX(-32, R13, R14)
	SHLQ $32, R13
	ORQ R13, DX // colons
	SHLQ $32, R14
	ORQ R14, DI // digits
	SHRXQ BX, DX, DX
	SHRXQ BX, DI, DI
	NEGQ BX
	ADDQ $64, BX // length
	BTSQ BX, DX  // as if a colon came behind it: a bit for the end of each group
	MOVQ DX, R13
	XORQ DI, R13
	LEAQ 1(BX), R14
	MOVQ $-1, AX
	SHLXQ R14, AX, R14
	NOTQ R14
	CMPQ R13, R14 // each byte is one or the other
	JNE done

	// no more than four digits in a row
	MOVQ DI, R13
	SHRQ $1, R13
	ANDQ R13, DI // two
	MOVQ DI, R13
	SHRQ $2, R13
	ANDQ DI, R13 // four
	MOVQ R13, R14
	SHRQ $1, R14
	TESTQ R13, R14 // five
	JNZ done
	LEAQ 1(DX)(DX*1), DI // as if a colon came before it, too
	ANDQ DX, DI          // empty groups
	POPCNTQ DX, DX       // groups
	TESTQ DI, DI
	JNZ gap
	CMPQ DX, $8
	JNE done
	JMP next

	// One gap within, of at least one group: what is at the ends is left to the caller.
gap:
	LEAQ -1(DI), R13
	TESTQ DI, R13
	JNZ done
	TESTQ $1, DI
	JNZ done
	BTQ BX, DI
	JCS done
	CMPQ DX, $8
	JHI done
	JMP next

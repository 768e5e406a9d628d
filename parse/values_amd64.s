#include "textflag.h"
#include "rows_amd64.h"

// The functions here read token after token: SI data, DI out, R8 two separators, which a token is between, R9 bytes
// from them to those of the next row, CX rows left, R10 rows. A token is the last of 16 bytes, so it must not end
// before byte 16 of data. They stop at the first token that they cannot read.

// ones: 16 bytes from n on are a mask of the last n bytes.
DATA ones<>+0(SB)/8, $0
DATA ones<>+8(SB)/8, $0
DATA ones<>+16(SB)/8, $0xffffffffffffffff
DATA ones<>+24(SB)/8, $0xffffffffffffffff
GLOBL ones<>(SB), RODATA, $32

// tens: what makes numbers of two digits, of two of those, of two of those.
DATA tens<>+0(SB)/8, $0x010a010a010a010a
DATA tens<>+8(SB)/8, $0x010a010a010a010a
DATA tens<>+16(SB)/8, $0x0001006400010064
DATA tens<>+24(SB)/8, $0x0001006400010064
DATA tens<>+32(SB)/8, $0x0001271000012710
DATA tens<>+40(SB)/8, $0x0001271000012710
GLOBL tens<>(SB), RODATA, $48

// TOKEN leaves what is less than byte 16 to the caller, and has the digits in X1, zero before them, and their
// number in BX.
#define TOKEN \
	MOVLQSX (R8), BX \
	MOVLQSX 4(R8), AX \
	CMPQ AX, $16 \
	JLT done \
	NEGQ BX \
	LEAQ -1(AX)(BX*1), BX \
	VMOVDQU -16(SI)(AX*1), X1 \
	VPSUBB X8, X1, X1

#define DIGITS(most) \
	LEAQ -1(BX), DX \
	CMPQ DX, most \
	JAE done \
	VPAND (R11)(BX*1), X1, X1 \
	VPSUBUSB X9, X1, X2 \
	VPTEST X2, X2 \
	JNZ done \
	VPMADDUBSW X10, X1, X1 \
	VPMADDWD X11, X1, X1 \
	VPACKUSDW X1, X1, X1 \
	VPMADDWD X12, X1, X1 \
	VMOVQ X1, AX \
	MOVL AX, BX \
	SHRQ $32, AX \
	IMULQ $100000000, BX \
	ADDQ BX, AX

#define TENS \
	VMOVDQU tens<>+0(SB), X10 \
	VMOVDQU tens<>+16(SB), X11 \
	VMOVDQU tens<>+32(SB), X12

// func int64sAVX2(data *byte, seps *int32, stride, rows, most int, out *int64) (n int)
TEXT ·int64sAVX2(SB), NOSPLIT, $0-56
	MOVQ most+32(FP), R12
	MOVQ out+40(FP), DI
	TENS
	LEAQ ones<>(SB), R11
	START

loop:
	TOKEN
	DIGITS(R12)
	MOVQ AX, (DI)
	ADDQ $8, DI
	ADDQ R9, R8
	DECQ CX
	JNZ loop

done:
	SUBQ CX, R10
	MOVQ R10, n+48(FP)
	VZEROUPPER
	RET

// func int32sAVX2(data *byte, seps *int32, stride, rows int, max uint64, out *int32) (n int)
TEXT ·int32sAVX2(SB), NOSPLIT, $0-56
	MOVQ max+32(FP), R12
	MOVQ out+40(FP), DI
	TENS
	LEAQ ones<>(SB), R11
	START

loop:
	TOKEN
	DIGITS($10)
	CMPQ AX, R12
	JHI done
	MOVL AX, (DI)
	ADDQ $4, DI
	ADDQ R9, R8
	DECQ CX
	JNZ loop

done:
	SUBQ CX, R10
	MOVQ R10, n+48(FP)
	VZEROUPPER
	RET

// hundreds: what makes a number of three digits and a zero byte.
DATA hundreds<>+0(SB)/8, $0x00010a6400010a64
DATA hundreds<>+8(SB)/8, $0x00010a6400010a64
GLOBL hundreds<>(SB), RODATA, $16

DATA units<>+0(SB)/8, $0x0001000100010001
DATA units<>+8(SB)/8, $0x0001000100010001
GLOBL units<>(SB), RODATA, $16

DATA dots<>+0(SB)/8, $0xfefefefefefefefe // less '0'
DATA dots<>+8(SB)/8, $0xfefefefefefefefe
GLOBL dots<>(SB), RODATA, $16

DATA top<>+0(SB)/8, $0x000000ff000000ff
DATA top<>+8(SB)/8, $0x000000ff000000ff
GLOBL top<>(SB), RODATA, $16

// func ipv4sAVX2(data *byte, seps *int32, stride, rows int, shapes *ipv4Shapes, out *[16]byte) (n int)
TEXT ·ipv4sAVX2(SB), NOSPLIT, $0-56
	MOVQ shapes+32(FP), R12
	MOVQ out+40(FP), DI
	VMOVDQU hundreds<>(SB), X10
	VMOVDQU units<>(SB), X11
	VMOVDQU dots<>(SB), X12
	VMOVDQU top<>(SB), X13
	LEAQ ones<>(SB), R11
	START

loop:
	TOKEN
	LEAQ -7(BX), DX
	CMPQ DX, $8
	JHI done
	VPAND (R11)(BX*1), X1, X1
	VPCMPEQB X12, X1, X2
	VPMOVMSKB X2, AX

	// how long the last three octets are, by the places of the dots, then the first
	TESTL $15, AX // the last three octets and their dots are no longer than 12
	JNZ done
	BSFL AX, DX
	JZ done
	LEAQ -16(BX)(DX*1), BX
	LEAQ -1(BX), DX
	CMPQ DX, $3
	JAE done
	SHRL $4, AX
	MOVBLZX 2240(R12)(AX*1), AX
	LEAQ (BX)(AX*4), BX
	SHLQ $4, AX
	JZ done
	SHLQ $4, BX

	VPSHUFB (R12)(AX*1), X1, X1
	VPSUBUSB X9, X1, X2
	VPMADDUBSW X10, X1, X1
	VPMADDWD X11, X1, X1
	VPCMPGTD X13, X1, X3
	VMOVDQU 448(R12)(BX*1), X4
	VPCMPGTD X1, X4, X4
	VPOR X3, X2, X2
	VPOR X4, X2, X2
	VPTEST X2, X2
	JNZ done
	VPACKUSDW X1, X1, X1
	VPACKUSWB X1, X1, X1
	VMOVD X1, AX
	SHLQ $32, AX
	MOVL $0xffff0000, BX
	ORQ BX, AX
	MOVQ $0, (DI)
	MOVQ AX, 8(DI)
	ADDQ $16, DI
	ADDQ R9, R8
	DECQ CX
	JNZ loop

done:
	SUBQ CX, R10
	MOVQ R10, n+48(FP)
	VZEROUPPER
	RET

// func knownWordsAVX2(data *byte, seps *int32, stride, rows int, words *[16]uint64, codes *[16]int32, out *int32) (n int)
TEXT ·knownWordsAVX2(SB), NOSPLIT, $0-64
	MOVQ words+32(FP), R12
	MOVQ codes+40(FP), R13
	MOVQ out+48(FP), DI
	MOVQ $0x9e3779b97f4a7c15, R14
	START

loop:
	MOVLQSX (R8), BX
	MOVLQSX 4(R8), AX
	CMPQ AX, $8
	JLT done
	SUBQ AX, BX
	ADDQ $9, BX
	JS done
	MOVQ -8(SI)(AX*1), DX
	SHLQ $3, BX
	SHRXQ BX, DX, DX
	MOVQ DX, AX
	IMULQ R14, AX
	SHRQ $60, AX
	CMPQ (R12)(AX*8), DX
	JNE done
	MOVL (R13)(AX*4), AX
	MOVL AX, (DI)
	ADDQ $4, DI
	ADDQ R9, R8
	DECQ CX
	JNZ loop

done:
	SUBQ CX, R10
	MOVQ R10, n+56(FP)
	VZEROUPPER
	RET

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PVH entry (Xen's docs/misc/pvh.pandoc): 32-bit protected mode, paging off,
 * struct hvm_start_info at EBX. From here to 64-bit mode with the first GiB
 * mapped; x86_64.c maps the rest.
 */
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define CR0_PG_PE 0x80000001
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define TABLE 0x3 /* present, writable */
#define LARGE_PAGE 0xe3 /* and accessed, dirty, 2 MiB: so that the processor never writes to the tables */

    .section .note.pvh, "a", @note
    .balign 4
    .long   4, 4, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz  "Xen"
    .long   _start

    .text
    .code32
    .globl  _start
_start:
    cld
    movl    $bss_start, %edi
    movl    $bss_end, %ecx
    subl    %edi, %ecx
    xorl    %eax, %eax
    rep     stosb

    movl    $boot_pdpt + TABLE, boot_pml4
    movl    $boot_pd + TABLE, boot_pdpt
    movl    $boot_pd, %edi
    movl    $LARGE_PAGE, %eax
1:  movl    %eax, (%edi)
    addl    $8, %edi
    addl    $0x200000, %eax
    cmpl    $0x40000000, %eax
    jb      1b

    movl    $CR4_PAE, %eax
    movl    %eax, %cr4
    movl    $boot_pml4, %eax
    movl    %eax, %cr3
    movl    $MSR_EFER, %ecx
    rdmsr
    orl     $EFER_LME, %eax
    wrmsr
    movl    $CR0_PG_PE, %eax
    movl    %eax, %cr0
    lgdt    gdt_pointer
    ljmp    $8, $2f

    .code64
2:  xorl    %eax, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    movl    $stack_top, %esp
    movl    %ebx, %edi
    call    boot

/* The timer's interrupt only ends the sleep of HLT. */
    .globl  timer_interrupt
timer_interrupt:
    pushq   %rax
    movb    $0x20, %al
    outb    %al, $0x20 /* end of interrupt */
    popq    %rax
    iretq

    .section .rodata
    .balign 8
gdt:
    .quad   0, 0x00209b0000000000 /* 64-bit code, ring 0 */
gdt_pointer:
    .word   . - gdt - 1
    .long   gdt

    .bss
    .balign 4096
boot_pml4:
    .space  4096
boot_pdpt:
    .space  4096
boot_pd:
    .space  4096
    .space  8192
stack_top:

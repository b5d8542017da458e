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
#define APIC_END_OF_INTERRUPT 0xfee000b0
#define TRAMPOLINE 0x8000
#define TABLE 0x3 /* present, writable */
#define LARGE_PAGE 0xe3 /* and accessed, dirty, 2 MiB: so that the processor never writes to the tables */

/* To the 64-bit mode with these tables, which the far jump that follows enters. */
    .macro  enter_long_mode tables
    movl    $CR4_PAE, %eax
    movl    %eax, %cr4
    movl    $\tables, %eax
    movl    %eax, %cr3
    movl    $MSR_EFER, %ecx
    rdmsr
    orl     $EFER_LME, %eax
    wrmsr
    movl    $CR0_PG_PE, %eax
    movl    %eax, %cr0
    .endm

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

    enter_long_mode boot_pml4
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

/* So does the interrupt by which vCPU 0 wakes the others. */
    .globl  wake_interrupt
wake_interrupt:
    pushq   %rax
    movl    $APIC_END_OF_INTERRUPT, %eax
    movl    $0, (%rax)
    popq    %rax
    iretq

/*
 * Further vCPUs begin in a copy of this, in real mode, and go on in 64-bit mode
 * with the tables of the first one. Those that are not wanted halt.
 */
    .globl  vcpu_trampoline, vcpu_trampoline_end
    .code16
vcpu_trampoline:
    cli
    xorw    %ax, %ax
    movw    %ax, %ds
    lgdtl   TRAMPOLINE + trampoline_gdt_pointer - vcpu_trampoline
    enter_long_mode page_tables
    ljmpl   $8, $vcpu_entry
trampoline_gdt_pointer:
    .word   gdt_end - gdt - 1
    .long   gdt
vcpu_trampoline_end:

    .code64
vcpu_entry:
    xorl    %eax, %eax
    movl    %eax, %ds
    movl    %eax, %es
    movl    %eax, %ss
    movl    $1, %edi
    lock xaddl %edi, vcpu_next
    cmpl    vcpus_wanted, %edi
    jae     3f
    movl    %edi, %esp
    shll    $12, %esp
    addl    $vcpu_stacks, %esp
    call    vcpu_boot
3:  hlt
    jmp     3b

    .section .rodata
    .balign 8
gdt:
    .quad   0, 0x00209b0000000000 /* 64-bit code, ring 0 */
gdt_end:
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
vcpu_stacks: /* of 4 KiB each, from number 1 on */
    .space  15 * 4096
